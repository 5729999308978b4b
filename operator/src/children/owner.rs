//! The parent of child objects.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;

/// A parent that the API server has stored: with namespace, name and uid.
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    namespace: String,
    name: String,
    uid: String,
    reference: OwnerReference,
}

impl Owner {
    /// The parent, if the object was read from the API server.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Option<Self> {
        let reference = object.controller_owner_ref(&())?;
        let namespace = object.meta().namespace.clone()?;
        let (name, uid) = (reference.name.clone(), reference.uid.clone());
        (!name.is_empty() && !uid.is_empty()).then_some(Self { namespace, name, uid, reference })
    }

    /// The namespace, of the parent and of all its children.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The parent's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parent's uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Metadata of a child.
    #[must_use]
    pub fn child(&self, name: String, labels: BTreeMap<String, String>) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.namespace.clone()),
            labels: Some(labels),
            owner_references: Some(vec![self.reference.clone()]),
            ..ObjectMeta::default()
        }
    }
}

/// Who controls an object.
#[must_use]
pub fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|reference| reference.controller == Some(true))
}
