//! Step 6: what deletion needs: open runs are cancelled while there are workers to end them, for a bounded time. Children
//! go with their parent.
//!
//! Works on the object as JSON: neither a spec that validation refuses nor one that cannot even be parsed blocks deletion,
//! and neither does a Temporal that is away.

use std::time::Duration;

use fastio_crds::conditions::Reason;
use fastio_crds::{FastioWebhook, FilePipeline, WebhookReference};
use fastio_pipeline::names::{ObjectKey, TaskQueue};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;
use kube::runtime::reflector::Store;

use super::observe::{access, find};
use super::runs::Runs;
use crate::context::Context;
use crate::problem::{Explain, Outlook};
use crate::raw::Raw;
use crate::runtime::{Next, finalizer};
use crate::status::Verdict;

/// Longest time that open runs hold the deletion, and that one look at them takes, however many there are.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// How often it is looked whether runs are still open.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Nothing but a change of the object helps.
const INVALID_AGAIN: Duration = Duration::from_mins(10);

type Webhooks = Store<DeserializeGuard<FastioWebhook>>;

/// An object that is being deleted.
pub(super) async fn cleanup(
    context: &Context,
    webhooks: &Webhooks,
    runs: &Runs,
    pipeline: Raw<FilePipeline>,
) -> kube::Result<Next> {
    if !finalizer::is_set(&pipeline.object) {
        return Ok(Next::OnChange);
    }
    let open =
        tokio::time::timeout(PATIENCE.unsigned_abs(), cancel(context, webhooks, runs, &pipeline)).await;
    let open = open.unwrap_or_else(|_| Open::Unknown(format!("not all was answered within {PATIENCE:#}")));
    let deleted = pipeline.object.metadata.deletion_timestamp.as_ref().map_or(Timestamp::MIN, |time| time.0);
    let is_patient = Timestamp::now().duration_since(deleted) < PATIENCE;
    if let Some(message) = open.message().filter(|_| is_patient) {
        pipeline.report(context, &Verdict::Deleting(message)).await?;
        return Ok(Next::After(LOOK_AGAIN));
    }
    if let Some(uid) = pipeline.object.uid() {
        runs.forget(&uid);
    }
    finalizer::remove(&context.client, &pipeline.object).await?;
    Ok(Next::OnChange)
}

/// An object that is not of its kind's form: it can be deleted, and else only be reported.
pub(super) async fn reject(
    context: &Context,
    webhooks: &Webhooks,
    runs: &Runs,
    invalid: &InvalidObject,
) -> kube::Result<Next> {
    let Some(pipeline) = Raw::fetch(&context.client, invalid).await? else { return Ok(Next::OnChange) };
    if invalid.metadata.deletion_timestamp.is_some() {
        return cleanup(context, webhooks, runs, pipeline).await;
    }
    let message = format!("the object cannot be read: {}; correct it", invalid.error);
    pipeline.report(context, &Verdict::Stalled(Reason::InvalidSpec, message)).await?;
    Ok(Next::After(INVALID_AGAIN))
}

/// Open runs of a pipeline.
enum Open {
    /// That many.
    Count(usize),
    /// Temporal, or the API server for its Secrets, cannot be asked now.
    Unknown(String),
    /// Nobody knows which Temporal to ask.
    Untold,
}

impl Open {
    /// What there is to wait for, if anything.
    fn message(&self) -> Option<String> {
        match self {
            Self::Count(0) | Self::Untold => None,
            Self::Count(count) => Some(format!("{count} open runs are being cancelled")),
            Self::Unknown(error) => Some(format!("open runs cannot be cancelled: {error}")),
        }
    }
}

/// Asks for cancellation.
async fn cancel(context: &Context, webhooks: &Webhooks, runs: &Runs, pipeline: &Raw<FilePipeline>) -> Open {
    let namespace = pipeline.object.namespace().unwrap_or_default();
    let Ok(key) = ObjectKey::new(&namespace, &pipeline.object.name_any()) else { return Open::Untold };
    let queue = TaskQueue::pipeline(&context.settings.installation, &key);
    let Some(reference) = pipeline.spec_field::<WebhookReference>("webhookRef") else { return Open::Untold };
    let Some(webhook) = find(webhooks, &namespace, &reference.name).await else { return Open::Untold };
    let access = match access(context, &namespace, &webhook).await {
        Ok(access) => access,
        Err(error) if matches!(error.problem().outlook, Outlook::Passing { .. }) => {
            return Open::Unknown(error.to_string());
        }
        Err(error) => {
            tracing::warn!(pipeline = %key, %error, "open runs are left as they are");
            return Open::Untold;
        }
    };
    match runs.clients.cancel(&context.root_key, &access, &queue).await {
        Ok(count) => Open::Count(count),
        Err(error) => Open::Unknown(format!("Temporal: {error}")),
    }
}
