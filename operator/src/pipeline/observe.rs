//! Step 1: the webhook that the pipeline names, from the store, and the Secrets of its Temporal connection.

use std::sync::Arc;

use fastio_crds::{FastioWebhook, FilePipeline};
use kube::ResourceExt;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{ObjectRef, Store};

use crate::connection::{Access, AccessError};
use crate::context::Context;

/// What was found.
#[derive(Debug)]
pub(super) struct Observed {
    /// `None` if there is no such webhook.
    pub(super) webhook: Option<Found>,
}

/// A webhook.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) webhook: Arc<DeserializeGuard<FastioWebhook>>,
    /// Its Temporal connection, with the Secrets.
    pub(super) temporal: Result<Access, AccessError>,
}

pub(super) async fn observe(
    context: &Context,
    webhooks: &Store<DeserializeGuard<FastioWebhook>>,
    pipeline: &FilePipeline,
) -> Observed {
    let namespace = pipeline.namespace().unwrap_or_default();
    let webhook = find(webhooks, &namespace, &pipeline.spec.webhook_ref.name).await;
    let webhook = match webhook {
        Some(webhook) => {
            let temporal = access(context, &namespace, &webhook).await;
            Some(Found { webhook, temporal })
        }
        None => None,
    };
    Observed { webhook }
}

/// A webhook from the store, which is never asked half filled.
pub(super) async fn find(
    webhooks: &Store<DeserializeGuard<FastioWebhook>>,
    namespace: &str,
    name: &str,
) -> Option<Arc<DeserializeGuard<FastioWebhook>>> {
    // An error is the end of the watch, at the end of the process.
    webhooks.wait_until_ready().await.ok()?;
    webhooks.get(&ObjectRef::new(name).within(namespace))
}

/// The connection of a webhook.
pub(super) async fn access(
    context: &Context,
    namespace: &str,
    webhook: &DeserializeGuard<FastioWebhook>,
) -> Result<Access, AccessError> {
    let own = webhook.0.as_ref().ok().and_then(|webhook| webhook.spec.temporal.as_ref());
    Access::of(&context.client, namespace, own, context.settings.temporal.as_ref()).await
}
