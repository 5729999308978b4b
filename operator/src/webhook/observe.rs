//! Step 1: what the decision needs, from Kubernetes and from Fast.io.
//!
//! What is missing does not end the step: a receiver needs no API key, so it is kept up while the key is missing.

use fastio::ApiKey;
use fastio_crds::{FastioWebhook, SecretKeyReference};
use kube::ResourceExt;
use secrecy::ExposeSecret;

use super::remote::{Identity, Remotes, Session};
use crate::connection::{Access, AccessError};
use crate::context::Context;
use crate::problem::{Explain, Problem};
use crate::secrets::{Named, SecretError};

/// What was found.
#[derive(Debug)]
pub(super) struct Observed {
    /// The Temporal connection and its Secrets.
    pub(super) temporal: Result<Access, AccessError>,
    /// The webhooks at Fast.io that carry our marker.
    pub(super) remote: Result<Session, Problem>,
}

pub(super) async fn observe(context: &Context, remotes: &Remotes, webhook: &FastioWebhook) -> Observed {
    let namespace = webhook.namespace().unwrap_or_default();
    let spec = &webhook.spec;
    let temporal =
        Access::of(&context.client, &namespace, spec.temporal.as_ref(), context.settings.temporal.as_ref());
    let remote = async {
        let key = api_key(context, &namespace, &spec.api_key_secret_ref).await.map_err(|e| e.problem())?;
        let identity = Identity {
            uid: webhook.uid().unwrap_or_default(),
            workspace: spec.workspace_id.clone(),
            generation: webhook.metadata.generation,
        };
        remotes.look(context, identity, key).await
    };
    let (temporal, remote) = futures::join!(temporal, remote);
    Observed { temporal, remote }
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
