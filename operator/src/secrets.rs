//! Reading Secrets that a user names: by `get` alone. The operator can neither list nor watch Secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use fastio_crds::conditions::Reason;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use secrecy::SecretSlice;

use crate::problem::{Explain, Problem};

/// How soon a Secret that is missing or wrong is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A Secret that an object names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the Secret.
    pub name: String,
    /// Where the name comes from, for messages: a field or a setting of the operator.
    pub named_by: &'static str,
}

/// Why a value of a Secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No such Secret.
    #[error(
        "Secret {name} ({named_by}) does not exist in namespace {namespace}; create it with the key {key}",
        name = secret.name, named_by = secret.named_by, namespace = secret.namespace
    )]
    NotFound {
        /// The Secret.
        secret: Named,
        /// The key that is needed.
        key: String,
    },
    /// The Secret lacks the key, or has nothing under it.
    #[error(
        "Secret {name} ({named_by}) in namespace {namespace} has no value under the key {key}; add it",
        name = secret.name, named_by = secret.named_by, namespace = secret.namespace
    )]
    KeyMissing {
        /// The Secret.
        secret: Named,
        /// The key that is needed.
        key: String,
    },
    /// The value cannot be what it should be.
    #[error(
        "Secret {name} ({named_by}) in namespace {namespace}, key {key}: {problem}",
        name = secret.name, named_by = secret.named_by, namespace = secret.namespace
    )]
    Invalid {
        /// The Secret.
        secret: Named,
        /// The key.
        key: String,
        /// What is wrong with the value, without the value.
        problem: String,
    },
    /// The API server did not answer.
    #[error("Secret {name} in namespace {namespace}: {source}", name = secret.name, namespace = secret.namespace)]
    Unavailable {
        /// The Secret.
        secret: Named,
        /// Why not.
        source: Box<kube::Error>,
    },
}

impl Explain for SecretError {
    fn problem(&self) -> Problem {
        let message = self.to_string();
        match self {
            Self::NotFound { .. } | Self::KeyMissing { .. } => {
                Problem::needs_action(Reason::SecretNotFound, message, LOOK_AGAIN)
            }
            Self::Invalid { .. } => Problem::needs_action(Reason::SecretInvalid, message, LOOK_AGAIN),
            Self::Unavailable { .. } => Problem::passing(message),
        }
    }
}

impl Named {
    /// One value.
    pub async fn value(&self, client: &Client, key: &str) -> Result<SecretSlice<u8>, SecretError> {
        let mut values = self.values(client, &[key], &[]).await?;
        values.remove(key).ok_or_else(|| self.key_missing(key))
    }

    /// Some values of one moment: those that must be there, and those that may be. An empty one is none.
    pub async fn values(
        &self,
        client: &Client,
        keys: &[&str],
        optional: &[&str],
    ) -> Result<BTreeMap<String, SecretSlice<u8>>, SecretError> {
        let api: Api<Secret> = Api::namespaced(client.clone(), &self.namespace);
        let secret = api
            .get_opt(&self.name)
            .await
            .map_err(|source| SecretError::Unavailable { secret: self.clone(), source: Box::new(source) })?;
        let Some(secret) = secret else {
            return Err(SecretError::NotFound { secret: self.clone(), key: keys.join(" and ") });
        };
        let mut data = secret.data.unwrap_or_default();
        let mut take = |key: &str| {
            let value = data.remove(key).filter(|value| !value.0.is_empty())?;
            Some((key.to_owned(), SecretSlice::from(value.0)))
        };
        let mut values = keys
            .iter()
            .map(|&key| take(key).ok_or_else(|| self.key_missing(key)))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        values.extend(optional.iter().filter_map(|&key| take(key)));
        Ok(values)
    }

    /// A value that cannot be what it should be.
    pub fn invalid(&self, key: &str, problem: &impl ToString) -> SecretError {
        SecretError::Invalid { secret: self.clone(), key: key.to_owned(), problem: problem.to_string() }
    }

    fn key_missing(&self, key: &str) -> SecretError {
        SecretError::KeyMissing { secret: self.clone(), key: key.to_owned() }
    }
}
