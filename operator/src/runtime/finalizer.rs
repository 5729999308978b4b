//! Our finalizer, added before anything is left outside of Kubernetes and removed when that is in order.
//!
//! The patches carry the resource version that was read: a stale read fails instead of undoing somebody else's change, and
//! an object that was made anew under the same name is not touched.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Error, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{FINALIZER, FINALIZER_MANAGER};

/// Whether the object has our finalizer.
pub fn is_set(object: &impl ResourceExt) -> bool {
    object.finalizers().iter().any(|name| name == FINALIZER)
}

/// Adds our finalizer.
pub async fn add<K>(client: &Client, object: &K) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    write(client, object, &finalizers).await
}

/// Removes our finalizer. An object that is gone has none.
pub async fn remove<K>(client: &Client, object: &K) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let others: Vec<_> = object.finalizers().iter().filter(|name| *name != FINALIZER).cloned().collect();
    match write(client, object, &others).await {
        Err(Error::Api(status)) if status.is_not_found() => Ok(()),
        result => result,
    }
}

async fn write<K>(client: &Client, object: &K, finalizers: &[String]) -> kube::Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let namespace = object.namespace().unwrap_or_default();
    // Metadata only: also objects that are not of the kind's form can be let go.
    let api: Api<kube::core::PartialObjectMeta<K>> = Api::namespaced(client.clone(), &namespace);
    let patch = json!({"metadata": {
        "resourceVersion": object.meta().resource_version,
        "finalizers": finalizers,
    }});
    let manager = PatchParams { field_manager: Some(FINALIZER_MANAGER.to_owned()), ..Default::default() };
    api.patch_metadata(&object.name_any(), &manager, &Patch::Merge(patch)).await.map(drop)
}
