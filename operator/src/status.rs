//! The status contract that kubectl, Helm, Flux and Argo CD read (kstatus): `Ready`, and `Reconciling` or `Stalled` only
//! while they are true, never both; each with the generation that it is about.

use fastio_crds::conditions::{ConditionType, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::{Value, json};

use crate::STATUS_MANAGER;
use crate::problem::{Outlook, Problem};
use crate::runtime::events::{Events, Happened};

/// Longest message of a condition (the API's limit is 32 768).
const MAX_MESSAGE: usize = 2000;

/// Where an object stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is in place.
    Ready(String),
    /// On the way, or waiting for something that should come by itself.
    Progressing(Reason, String),
    /// Trying again: what was true before may still be.
    Retrying(String),
    /// Somebody must act.
    Stalled(Reason, String),
    /// Being deleted.
    Deleting(String),
    /// Being deleted, and somebody must act.
    DeletionStalled(Reason, String),
}

impl From<&Problem> for Verdict {
    fn from(problem: &Problem) -> Self {
        let message = problem.message.clone();
        match problem.outlook {
            Outlook::Passing { .. } => Self::Retrying(message),
            Outlook::Waiting(_) => Self::Progressing(problem.reason, message),
            Outlook::NeedsAction(_) => Self::Stalled(problem.reason, message),
        }
    }
}

impl Verdict {
    /// Whether the object does what it is for.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }

    /// The conditions. The time of the last transition is kept where the status is the same as before.
    #[must_use]
    pub fn conditions(
        &self,
        generation: Option<i64>,
        previous: &[Condition],
        now: Timestamp,
    ) -> Vec<Condition> {
        use ConditionType::{Ready, Reconciling, Stalled};
        let condition = |type_: ConditionType, status: &str, reason: Reason, message: &str| {
            let before = previous.iter().find(|c| c.type_ == type_.as_str() && c.status == status);
            Condition {
                type_: type_.as_str().to_owned(),
                status: status.to_owned(),
                reason: reason.as_str().to_owned(),
                message: shortened(message).to_owned(),
                observed_generation: generation,
                last_transition_time: before.map_or(Time(now), |c| c.last_transition_time.clone()),
            }
        };
        match self {
            Self::Ready(message) => vec![condition(Ready, "True", Reason::Running, message)],
            Self::Progressing(reason, message) => vec![
                condition(Ready, "False", *reason, message),
                condition(Reconciling, "True", *reason, message),
            ],
            Self::Retrying(message) => vec![
                condition(Ready, "Unknown", Reason::Retrying, message),
                condition(Reconciling, "True", Reason::Retrying, message),
            ],
            Self::Stalled(reason, message) => vec![
                condition(Ready, "False", *reason, message),
                condition(Stalled, "True", *reason, message),
            ],
            Self::Deleting(message) => vec![condition(Ready, "False", Reason::Deleting, message)],
            Self::DeletionStalled(reason, message) => vec![
                condition(Ready, "False", Reason::Deleting, message),
                condition(Stalled, "True", *reason, message),
            ],
        }
    }
}

fn shortened(message: &str) -> &str {
    message.get(..message.floor_char_boundary(MAX_MESSAGE)).unwrap_or(message)
}

/// The `Ready` condition of a status.
#[must_use]
pub fn ready(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == ConditionType::Ready.as_str())
}

/// Whether an object is ready as its spec is now, and the `Ready` condition.
#[must_use]
pub fn readiness(generation: Option<i64>, conditions: &[Condition]) -> (bool, Option<&Condition>) {
    let condition = ready(conditions);
    let current = condition
        .is_some_and(|condition| condition.status == "True" && condition.observed_generation == generation);
    (current, condition)
}

/// Writes the status: one server-side apply. Nothing is written to an object that is gone, or that was made anew.
pub async fn write<K, S>(client: &Client, object: &K, status: &S) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    S: Serialize,
{
    match apply(client, object, json!({"uid": object.meta().uid}), status).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        result => result,
    }
}

/// Writes the status if nobody has changed the object since it was read: of two writers, one fails.
pub async fn write_if_unchanged<K, S>(client: &Client, object: &K, status: &S) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    S: Serialize,
{
    let (uid, version) = (&object.meta().uid, &object.meta().resource_version);
    apply(client, object, json!({"uid": uid, "resourceVersion": version}), status).await
}

async fn apply<K, S>(client: &Client, object: &K, metadata: Value, status: &S) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    S: Serialize,
{
    // Not the kind's own type: an object that is not of the kind's form must get its status too.
    let kind = ApiResource::erase::<K>(&());
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &kind);
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": metadata,
        "status": status,
    });
    let manager = PatchParams::apply(STATUS_MANAGER).force();
    api.patch_status(&object.name_any(), &manager, &Patch::Apply(patch)).await.map(drop)
}

/// An event when the reason or status of `Ready` has changed.
pub async fn publish_transition<K: Resource<DynamicType = ()>>(
    events: &Events,
    object: &K,
    before: &[Condition],
    after: &[Condition],
    verdict: &Verdict,
) {
    let Some(now) = ready(after) else { return };
    let same = ready(before).is_some_and(|then| then.status == now.status && then.reason == now.reason);
    if same {
        return;
    }
    let (reason, warning) = match verdict {
        Verdict::Ready(_) => (Reason::Running, false),
        Verdict::Progressing(reason, _) => (*reason, false),
        Verdict::Retrying(_) => (Reason::Retrying, true),
        Verdict::Deleting(_) => (Reason::Deleting, false),
        Verdict::Stalled(reason, _) | Verdict::DeletionStalled(reason, _) => (*reason, true),
    };
    if warning {
        events.warning(object, Happened::Condition(reason), &now.message).await;
    } else {
        events.normal(object, Happened::Condition(reason), &now.message).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn types(verdict: &Verdict) -> Vec<(String, String, String)> {
        let conditions = verdict.conditions(Some(3), &[], at(0));
        assert!(conditions.iter().all(|condition| condition.observed_generation == Some(3)));
        conditions.into_iter().map(|c| (c.type_, c.status, c.reason)).collect()
    }

    fn row(type_: &str, status: &str, reason: &str) -> (String, String, String) {
        (type_.to_owned(), status.to_owned(), reason.to_owned())
    }

    #[test]
    fn each_verdict_has_its_row_of_the_contract() {
        let text = || "x".to_owned();
        assert_eq!(types(&Verdict::Ready(text())), [row("Ready", "True", "Running")]);
        assert_eq!(
            types(&Verdict::Progressing(Reason::RollingOut, text())),
            [row("Ready", "False", "RollingOut"), row("Reconciling", "True", "RollingOut")]
        );
        assert_eq!(
            types(&Verdict::Retrying(text())),
            [row("Ready", "Unknown", "Retrying"), row("Reconciling", "True", "Retrying")]
        );
        assert_eq!(
            types(&Verdict::Stalled(Reason::ApiKeyRejected, text())),
            [row("Ready", "False", "ApiKeyRejected"), row("Stalled", "True", "ApiKeyRejected")]
        );
        assert_eq!(types(&Verdict::Deleting(text())), [row("Ready", "False", "Deleting")]);
        assert_eq!(
            types(&Verdict::DeletionStalled(Reason::SecretNotFound, text())),
            [row("Ready", "False", "Deleting"), row("Stalled", "True", "SecretNotFound")]
        );
    }

    #[test]
    fn the_transition_time_moves_with_the_status_only() {
        let first =
            Verdict::Progressing(Reason::RollingOut, "0/2".to_owned()).conditions(Some(1), &[], at(10));
        let second =
            Verdict::Stalled(Reason::SecretNotFound, "gone".to_owned()).conditions(Some(2), &first, at(20));
        let times = |conditions: &[Condition]| -> Vec<Timestamp> {
            conditions.iter().map(|condition| condition.last_transition_time.0).collect()
        };
        assert_eq!(times(&second), [at(10), at(20)]);
        let third = Verdict::Ready("ok".to_owned()).conditions(Some(2), &second, at(30));
        assert_eq!(times(&third), [at(30)]);
    }

    #[test]
    fn ready_counts_for_its_generation_only() {
        let conditions = Verdict::Ready("ok".to_owned()).conditions(Some(2), &[], at(0));
        assert!(readiness(Some(2), &conditions).0);
        assert!(!readiness(Some(3), &conditions).0);
        assert!(!readiness(Some(2), &[]).0);
    }
}
