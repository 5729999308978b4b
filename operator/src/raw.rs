//! An object as JSON: for what must work also when the object is not of its kind's form.

use std::marker::PhantomData;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::api::{ApiResource, DynamicObject, PartialObjectMeta, TypeMeta};
use kube::core::NamespaceResourceScope;
use kube::core::error_boundary::InvalidObject;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::context::Context;
use crate::status::{Verdict, publish_transition, write};

/// An object of kind `K`, or one that should be.
#[derive(Debug, Clone)]
pub struct Raw<K> {
    /// Its metadata.
    pub object: PartialObjectMeta<K>,
    /// Its spec, or null.
    pub spec: Value,
    /// Its status, or null.
    pub status: Value,
}

impl<K> Raw<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + Clone,
{
    /// From an object that was read.
    pub fn of(object: &K) -> Self {
        let mut value = serde_json::to_value(object).unwrap_or_default();
        let mut take = |field: &str| value.get_mut(field).map(Value::take).unwrap_or_default();
        Self { spec: take("spec"), status: take("status"), object: partial(object.meta().clone()) }
    }

    /// From the API server; `None` if it is gone, or was made anew.
    pub async fn fetch(client: &Client, invalid: &InvalidObject) -> kube::Result<Option<Self>> {
        let metadata = &invalid.metadata;
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let api: Api<DynamicObject> =
            Api::namespaced_with(client.clone(), &namespace, &ApiResource::erase::<K>(&()));
        let Some(mut found) = api.get_opt(metadata.name.as_deref().unwrap_or_default()).await? else {
            return Ok(None);
        };
        if found.metadata.uid != metadata.uid {
            return Ok(None);
        }
        let mut take = |field: &str| found.data.get_mut(field).map(Value::take).unwrap_or_default();
        Ok(Some(Self { spec: take("spec"), status: take("status"), object: partial(found.metadata) }))
    }

    /// A field of the spec, if it is there and of this form.
    #[must_use]
    pub fn spec_field<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.spec.get(name).and_then(|value| T::deserialize(value).ok())
    }

    /// Whether a field of the status is there.
    #[must_use]
    pub fn has_status(&self, name: &str) -> bool {
        self.status.get(name).is_some_and(|value| !value.is_null())
    }

    /// Writes conditions, and leaves the rest of the status as it is.
    pub async fn report(&self, context: &Context, verdict: &Verdict) -> kube::Result<()> {
        let before: Vec<Condition> = self
            .status
            .get("conditions")
            .and_then(|value| serde::Deserialize::deserialize(value).ok())
            .unwrap_or_default();
        let generation = self.object.metadata.generation;
        let after = verdict.conditions(generation, &before, Timestamp::now());
        let mut status = if self.status.is_object() { self.status.clone() } else { json!({}) };
        if let Some(fields) = status.as_object_mut() {
            fields.insert("observedGeneration".to_owned(), json!(generation));
            fields.insert("conditions".to_owned(), json!(after));
        }
        if status == self.status {
            return Ok(());
        }
        write(&context.client, &self.object, &status).await?;
        publish_transition(&context.events, &self.object, &before, &after, verdict).await;
        Ok(())
    }
}

fn partial<K: Resource<DynamicType = ()>>(metadata: ObjectMeta) -> PartialObjectMeta<K> {
    PartialObjectMeta { types: Some(TypeMeta::resource::<K>()), metadata, _phantom: PhantomData }
}
