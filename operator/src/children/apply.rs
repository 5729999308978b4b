//! Server-side apply of one child.

use std::fmt::Debug;
use std::time::Duration;

use fastio_crds::conditions::Reason;
use kube::api::{Patch, PatchParams};
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::owner;
use crate::CHILDREN_MANAGER;
use crate::problem::{Explain, Problem};

/// How soon it is tried again what only somebody else can allow.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How soon it is tried again when a child of a parent that was deleted is about to go.
const COLLECTED_SOON: Duration = Duration::from_secs(2);

/// Why a child is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An object of that name is there and not ours.
    #[error(
        "{kind} {name} exists and belongs to {owner}; rename or delete it, or give this object another name"
    )]
    NameTaken {
        /// Kind of the child.
        kind: String,
        /// Name of the child.
        name: String,
        /// Whom it belongs to.
        owner: String,
    },
    /// A child of a parent of the same name that was deleted. The garbage collector removes it.
    #[error("{kind} {name} of an earlier object of this name is still being removed")]
    Leftover {
        /// Kind of the child.
        kind: String,
        /// Name of the child.
        name: String,
    },
    /// The API server refuses the child.
    #[error("the API server refuses {kind} {name}: {message}")]
    Rejected {
        /// Kind of the child.
        kind: String,
        /// Name of the child.
        name: String,
        /// What the API server says.
        message: String,
    },
    /// The API server did not do it this time.
    #[error("{kind} {name}: {source}")]
    Unavailable {
        /// Kind of the child.
        kind: String,
        /// Name of the child.
        name: String,
        /// Why not.
        source: Box<kube::Error>,
    },
}

impl Explain for ApplyError {
    fn problem(&self) -> Problem {
        let message = self.to_string();
        match self {
            Self::NameTaken { .. } => Problem::needs_action(Reason::NameTaken, message, LOOK_AGAIN),
            Self::Leftover { .. } => Problem::waiting(Reason::Retrying, message, COLLECTED_SOON),
            Self::Rejected { .. } => Problem::needs_action(Reason::ChildRejected, message, LOOK_AGAIN),
            Self::Unavailable { .. } => Problem::passing(message),
        }
    }
}

/// Makes the child what it should be and returns what it is, status included.
///
/// Fields that nobody of us sets are left as they are, so that annotations of a rollout restart or of a mesh survive;
/// fields that we set are set again whoever changed them. An object with another controller, or with none, is not touched.
pub async fn apply<K>(client: &Client, child: &K) -> Result<K, ApplyError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned,
{
    let name = child.name_any();
    let api: Api<K> = Api::namespaced(client.clone(), &child.namespace().unwrap_or_default());
    let existing = api.get_metadata_opt(&name).await.map_err(|error| failed::<K>(&name, error))?;
    if let Some(existing) = existing {
        check_ownership(child, &existing)?;
    }
    let manager = PatchParams::apply(CHILDREN_MANAGER).force();
    api.patch(&name, &manager, &Patch::Apply(child)).await.map_err(|error| failed::<K>(&name, error))
}

fn check_ownership<K: Resource<DynamicType = ()>>(
    child: &K,
    existing: &PartialObjectMeta<K>,
) -> Result<(), ApplyError> {
    let (wanted, found) = (owner::controller(child.meta()), owner::controller(&existing.metadata));
    let (kind, name) = (K::kind(&()).into_owned(), child.name_any());
    match (wanted, found) {
        (Some(wanted), Some(found)) if wanted.uid == found.uid => Ok(()),
        (Some(wanted), Some(found))
            if wanted.api_version == found.api_version
                && wanted.kind == found.kind
                && wanted.name == found.name =>
        {
            Err(ApplyError::Leftover { kind, name })
        }
        (_, found) => {
            let owner = found
                .map_or_else(|| "no controller".to_owned(), |found| format!("{} {}", found.kind, found.name));
            Err(ApplyError::NameTaken { kind, name, owner })
        }
    }
}

pub(super) fn failed<K: Resource<DynamicType = ()>>(name: &str, error: kube::Error) -> ApplyError {
    let (kind, name) = (K::kind(&()).into_owned(), name.to_owned());
    match error {
        kube::Error::Api(status) if status.is_forbidden() || status.is_invalid() => {
            ApplyError::Rejected { kind, name, message: status.message }
        }
        source => ApplyError::Unavailable { kind, name, source: Box::new(source) },
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;
    use serde_json::json;

    use super::*;

    fn service(owner: Option<(&str, &str, &str)>) -> Service {
        let owners: Vec<_> = owner
            .map(|(kind, name, uid)| {
                json!({"apiVersion": "pipelines.fast.io/v1alpha1", "kind": kind, "name": name, "uid": uid, "controller": true})
            })
            .into_iter()
            .collect();
        serde_json::from_value(json!({"metadata": {"name": "studio-receiver", "ownerReferences": owners}}))
            .unwrap()
    }

    fn check(existing: &Service) -> Result<(), ApplyError> {
        let existing = PartialObjectMeta { metadata: existing.metadata.clone(), ..Default::default() };
        check_ownership(&service(Some(("FastioWebhook", "studio", "1"))), &existing)
    }

    #[test]
    fn only_our_own_children_are_changed() {
        check(&service(Some(("FastioWebhook", "studio", "1")))).unwrap();
        let taken = check(&service(Some(("Other", "studio", "2")))).unwrap_err();
        assert_eq!(taken.problem().reason, Reason::NameTaken);
        assert!(taken.to_string().contains("belongs to Other studio"), "{taken}");
        assert!(check(&service(None)).unwrap_err().to_string().contains("no controller"));
        let leftover = check(&service(Some(("FastioWebhook", "studio", "0")))).unwrap_err();
        assert!(matches!(leftover, ApplyError::Leftover { .. }));
    }
}
