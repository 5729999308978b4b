//! Removing a child that its parent has no use for any more.

use std::fmt::Debug;

use kube::api::{DeleteParams, Preconditions, PropagationPolicy};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::apply::{ApplyError, failed};
use super::labels::{INSTANCE, MANAGED_BY, OPERATOR};
use super::owner::{Owner, controller};

/// Deletes the child of this name, if there is one. An object that is not a child of `owner`, by uid and by label, is left:
/// it is somebody else's. What the child made itself (pods) is collected after it, and ends as it should.
pub async fn prune<K>(client: &Client, owner: &Owner, name: &str) -> Result<(), ApplyError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    delete::<K>(client, owner, name, PropagationPolicy::Background).await.map(drop)
}

/// As [`prune`], but the child stays until all that it made itself has ended (foreground deletion). Whether it is gone: if
/// not, ask again.
pub async fn prune_last<K>(client: &Client, owner: &Owner, name: &str) -> Result<bool, ApplyError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    delete::<K>(client, owner, name, PropagationPolicy::Foreground).await
}

/// Whether there was nothing to delete.
async fn delete<K>(
    client: &Client,
    owner: &Owner,
    name: &str,
    propagation: PropagationPolicy,
) -> Result<bool, ApplyError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), owner.namespace());
    let found = api.get_metadata_opt(name).await.map_err(|error| failed::<K>(name, error))?;
    let Some(found) = found.filter(|found| is_child(found, owner)) else { return Ok(true) };
    if found.metadata.deletion_timestamp.is_some() {
        return Ok(false);
    }
    // Only what was seen: an object that was made anew or taken over in the meantime stays.
    let seen = Preconditions { uid: found.uid(), resource_version: found.resource_version() };
    let how = DeleteParams {
        preconditions: Some(seen),
        propagation_policy: Some(propagation),
        ..DeleteParams::default()
    };
    match api.delete(name, &how).await {
        Ok(_) => {
            tracing::info!(kind = %K::kind(&()), name, namespace = owner.namespace(), "removed a child");
            Ok(false)
        }
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(true),
        Err(error) => Err(failed::<K>(name, error)),
    }
}

fn is_child(found: &impl ResourceExt, owner: &Owner) -> bool {
    let labels = found.labels();
    let labelled = |key, value| labels.get(key).map(String::as_str) == Some(value);
    controller(found.meta()).is_some_and(|reference| reference.uid == owner.uid())
        && labelled(MANAGED_BY, OPERATOR)
        && labelled(INSTANCE, owner.name())
}
