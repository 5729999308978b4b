//! Step 1: what the decision needs, from Kubernetes and from Fast.io.
//!
//! What is missing does not end the step: a receiver needs no API key, so it is kept up while the key is missing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastio::{ApiKey, WorkspaceId};
use fastio_crds::{FastioWebhook, SecretKeyReference, Signature};
use kube::ResourceExt;
use secrecy::{ExposeSecret, SecretSlice};

use super::delivery::{by_hand, may_follow, may_register, was_attempted};
use super::remote::feed::{Feed, Feeds, KeyName};
use super::remote::{Identity, Remotes, Session};
use crate::connection::{Access, AccessError};
use crate::context::Context;
use crate::problem::{Explain, Problem};
use crate::secrets::{Named, SecretError};
use crate::temporal::Clients;

/// What was found.
#[derive(Debug)]
pub(super) struct Observed {
    /// The Temporal connection and its Secrets.
    pub(super) temporal: Result<Access, AccessError>,
    /// The signing secret of a webhook that was made by hand, if there is to be one.
    pub(super) by_hand: Option<Result<HandmadeSecret, SecretError>>,
    /// The webhooks at Fast.io that carry our marker.
    pub(super) remote: Result<Session, Problem>,
    /// What the API key may read of the feed; `None` if the feed is not wanted, or the key not usable.
    pub(super) feed: Option<Result<Feed, Problem>>,
}

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) remotes: Remotes,
    feeds: Feeds,
    pub(super) temporal: Clients,
    /// Since when intake and feed are being ended, for each object by uid.
    pub(super) ending: Mutex<HashMap<String, Instant>>,
}

impl Memory {
    /// The object is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.remotes.forget(uid);
        self.feeds.forget(uid);
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// For how long intake and feed of an object are being ended: since the first time that this was asked.
    pub(super) fn ending_for(&self, uid: &str) -> Duration {
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        ending.entry(uid.to_owned()).or_insert_with(Instant::now).elapsed()
    }
}

pub(super) async fn observe(context: &Context, memory: &Memory, webhook: &FastioWebhook) -> Observed {
    let namespace = webhook.namespace().unwrap_or_default();
    let spec = &webhook.spec;
    let temporal =
        Access::of(&context.client, &namespace, spec.temporal.as_ref(), context.settings.temporal.as_ref());
    let by_hand = async {
        match by_hand(spec) {
            Some(reference) => {
                Some(HandmadeSecret::read(context, &namespace, reference, &spec.receiver.signature).await)
            }
            None => None,
        }
    };
    let (temporal, by_hand, (remote, feed)) =
        futures::join!(temporal, by_hand, at_fastio(context, memory, webhook, &namespace));
    Observed { temporal, by_hand, remote, feed }
}

async fn at_fastio(
    context: &Context,
    memory: &Memory,
    webhook: &FastioWebhook,
    namespace: &str,
) -> (Result<Session, Problem>, Option<Result<Feed, Problem>>) {
    let spec = &webhook.spec;
    let key = match api_key(context, namespace, &spec.api_key_secret_ref).await {
        Ok(key) => key,
        Err(error) => return (Err(error.problem()), None),
    };
    let uid = webhook.uid().unwrap_or_default();
    let identity = Identity {
        uid: uid.clone(),
        workspace: spec.workspace_id.clone(),
        generation: webhook.metadata.generation,
        webhooks: may_register(spec) || was_attempted(webhook.status.as_ref()),
    };
    let (secret, fingerprint) = (key.secret.clone(), key.fingerprint.clone());
    let remote = memory.remotes.look(context, identity, key).await;
    // Validation says what is wrong with the id of a workspace.
    let workspace = spec.workspace_id.parse::<WorkspaceId>().ok().filter(|_| may_follow(spec));
    let feed = match (&remote, workspace) {
        (Ok(session), Some(workspace)) => {
            let key = KeyName { secret: &secret, fingerprint: &fingerprint };
            Some(memory.feeds.look(session.client(), &uid, &workspace, &key).await)
        }
        _ => None,
    };
    (remote, feed)
}

/// An API key with the fingerprint by which a change of it is noticed.
#[derive(Debug)]
pub(super) struct FoundKey {
    pub(super) key: ApiKey,
    /// Name of its Secret.
    pub(super) secret: String,
    pub(super) fingerprint: String,
}

pub(super) async fn api_key(
    context: &Context,
    namespace: &str,
    reference: &SecretKeyReference,
) -> Result<FoundKey, SecretError> {
    let secret = Named {
        namespace: namespace.to_owned(),
        name: reference.name.clone(),
        named_by: "spec.apiKeySecretRef",
    };
    let bytes = secret.value(&context.client, &reference.key).await?;
    let bytes = bytes.expose_secret();
    let text = std::str::from_utf8(bytes).map_err(|_| {
        secret.invalid(&reference.key, &"the value is not text; store the API key as Fast.io showed it")
    })?;
    let key = ApiKey::new(text).map_err(|error| secret.invalid(&reference.key, &error))?;
    let fingerprint = context.root_key.fingerprint(bytes);
    Ok(FoundKey { key, secret: reference.name.clone(), fingerprint })
}

/// The signing secrets of a webhook that was made by hand.
#[derive(Debug)]
pub(super) struct HandmadeSecret {
    pub(super) secret: Named,
    pub(super) reference: SecretKeyReference,
    /// By key: today's, and the one before it while there is one.
    pub(super) values: BTreeMap<String, SecretSlice<u8>>,
}

impl HandmadeSecret {
    async fn read(
        context: &Context,
        namespace: &str,
        reference: &SecretKeyReference,
        signature: &Signature,
    ) -> Result<Self, SecretError> {
        let secret = Named {
            namespace: namespace.to_owned(),
            name: reference.name.clone(),
            named_by: "spec.receiver.signature.secretRef",
        };
        let previous = signature.previous_secret_key.as_deref();
        let values = secret.values(&context.client, &[&reference.key], previous.as_slice()).await?;
        Ok(Self { secret, reference: reference.clone(), values })
    }
}
