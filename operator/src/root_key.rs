//! The Secret that keeps the root key, in the operator's own namespace.
//!
//! Made once and never overwritten: with another root key all derived keys would change, and what is in flight would be
//! refused.

use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;

use crate::CHILDREN_MANAGER;
use crate::children::labels::{MANAGED_BY, OPERATOR, PART_OF, SYSTEM};
use crate::keys::{KeyError, RootKey};
use crate::runtime::backoff::{Exponential, with_jitter};

/// Key within the Secret.
const KEY: &str = "rootKey";

/// How often it is looked at whether the Secret is still there.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The API server does not answer, or refuses.
    #[error("Secret {secret} with the root key: {source}")]
    Kubernetes {
        /// Namespace and name.
        secret: String,
        /// What the API server says.
        source: Box<kube::Error>,
    },
    /// The Secret has something else in it.
    #[error(
        "Secret {secret}, key {KEY}: {source}; restore the right Secret, or delete it to have a new root key made (events \
         and runs in flight are then refused)"
    )]
    Unusable {
        /// Namespace and name.
        secret: String,
        /// What is wrong with it.
        source: KeyError,
    },
}

/// Where the root key is kept.
#[derive(Clone)]
pub struct RootKeySecret {
    client: Client,
    namespace: String,
    name: String,
}

impl RootKeySecret {
    /// The Secret `name` in `namespace`.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The root key, made if there is none. Waits for the API server as long as it takes; an error is a Secret that has
    /// something else in it.
    pub async fn load_or_create(&self) -> Result<RootKey, RootKeyError> {
        let mut pauses = Exponential::new(Duration::from_millis(500), Duration::from_secs(10));
        loop {
            match self.try_load_or_create().await {
                Err(error @ RootKeyError::Kubernetes { .. }) => tracing::warn!(%error, "trying again"),
                result => return result,
            }
            tokio::time::sleep(pauses.next().unwrap_or(LOOK_AGAIN)).await;
        }
    }

    async fn try_load_or_create(&self) -> Result<RootKey, RootKeyError> {
        if let Some(key) = self.load().await? {
            return Ok(key);
        }
        let key = RootKey::random().map_err(|source| self.unusable(source))?;
        match self.create(&key).await {
            Ok(()) => {
                tracing::info!(secret = self.key(), "made a root key");
                Ok(key)
            }
            // Another replica, or our own lost answer, was first: what is stored counts.
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                self.load().await?.ok_or_else(|| self.failed(kube::Error::Api(status)))
            }
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Writes the Secret again, from memory, when somebody deletes it. Runs until `stop`.
    pub async fn keep(&self, key: &RootKey, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(with_jitter(LOOK_AGAIN))).await.is_some() {
            match self.load().await {
                Ok(Some(stored)) if stored.expose() == key.expose() => {}
                Ok(Some(_)) => tracing::error!(
                    secret = self.key(),
                    "the root key was replaced; the old one is used until the next start, and then refuses what is in flight"
                ),
                Ok(None) => match self.create(key).await {
                    Ok(()) => {
                        tracing::warn!(secret = self.key(), "the root key was deleted and is written again");
                    }
                    Err(error) => {
                        tracing::error!(secret = self.key(), %error, "the root key cannot be written again");
                    }
                },
                Err(error) => tracing::warn!(%error, "the root key cannot be looked at"),
            }
        }
    }

    async fn load(&self) -> Result<Option<RootKey>, RootKeyError> {
        let secret = self.api().get_opt(&self.name).await.map_err(|source| self.failed(source))?;
        let Some(secret) = secret else { return Ok(None) };
        let bytes = secret.data.unwrap_or_default().remove(KEY).unwrap_or_default().0;
        RootKey::new(&bytes).map(Some).map_err(|source| self.unusable(source))
    }

    async fn create(&self, key: &RootKey) -> kube::Result<()> {
        let labels = [(MANAGED_BY, OPERATOR), (PART_OF, SYSTEM)];
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
                ..ObjectMeta::default()
            },
            type_: Some("Opaque".to_owned()),
            data: Some([(KEY.to_owned(), ByteString(key.expose().to_vec()))].into()),
            ..Secret::default()
        };
        let manager =
            PostParams { field_manager: Some(CHILDREN_MANAGER.to_owned()), ..PostParams::default() };
        self.api().create(&manager, &secret).await.map(drop)
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    fn failed(&self, source: kube::Error) -> RootKeyError {
        RootKeyError::Kubernetes { secret: self.key(), source: Box::new(source) }
    }

    fn unusable(&self, source: KeyError) -> RootKeyError {
        RootKeyError::Unusable { secret: self.key(), source }
    }
}

#[cfg(test)]
mod tests;
