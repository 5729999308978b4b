//! Step 5: the status, computed from what was seen and done (pure), and written once.

use fastio_crds::{FastioWebhook, FastioWebhookStatus};
use jiff::Timestamp;

use super::remote::Registration;
use crate::context::Context;
use crate::problem::Problem;
use crate::status::{Verdict, publish_transition, write, write_if_unchanged};

/// How far the steps came.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) url: Option<String>,
    pub(super) receivers: Option<String>,
    pub(super) attempt: Attempt,
    pub(super) registration: Option<Registration>,
}

/// What became of the record that is made before a webhook is created.
#[derive(Debug, Default)]
pub(super) enum Attempt {
    /// Nothing was to be created.
    #[default]
    None,
    /// The status has it, whatever came of the creation.
    Recorded { signing_key_fingerprint: String },
    /// Refused: the object has changed since it was read.
    Outdated,
}

/// Writes the status if it has changed, whatever the steps came to. An outdated one is not written: it could undo what
/// another operator has just recorded.
pub(super) async fn report(
    context: &Context,
    webhook: &FastioWebhook,
    progress: Progress,
    problem: Option<&Problem>,
) -> kube::Result<()> {
    if matches!(progress.attempt, Attempt::Outdated) {
        return Ok(());
    }
    let ready = || Verdict::Ready(format!("events of workspace {} come in", webhook.spec.workspace_id));
    let verdict = problem.map_or_else(ready, Verdict::from);
    record(context, webhook, &compute(webhook, progress, &verdict, Timestamp::now()), &verdict).await
}

/// Records that a webhook is about to be created with this key.
///
/// Cleanup asks Fast.io only if there was an attempt. And it is a lock: of two operators that run by mistake at the same time,
/// one is refused here, looks again, and finds what the other has created.
pub(super) async fn record_attempt(
    context: &Context,
    webhook: &FastioWebhook,
    fingerprint: &str,
) -> kube::Result<()> {
    let mut status = webhook.status.clone().unwrap_or_default();
    status.signing_key_fingerprint = Some(fingerprint.to_owned());
    write_if_unchanged(&context.client, webhook, &status).await
}

async fn record(
    context: &Context,
    webhook: &FastioWebhook,
    status: &FastioWebhookStatus,
    verdict: &Verdict,
) -> kube::Result<()> {
    let before = webhook.status.clone().unwrap_or_default();
    if *status == before {
        return Ok(());
    }
    write(&context.client, webhook, status).await?;
    publish_transition(&context.events, webhook, &before.conditions, &status.conditions, verdict).await;
    Ok(())
}

fn compute(
    webhook: &FastioWebhook,
    progress: Progress,
    verdict: &Verdict,
    now: Timestamp,
) -> FastioWebhookStatus {
    let before = webhook.status.clone().unwrap_or_default();
    let generation = webhook.metadata.generation;
    let (id, fingerprint) = match progress.registration {
        Some(registration) => (Some(registration.id.to_string()), Some(registration.signing_key_fingerprint)),
        // Not known this time: what was known stays, and so does an attempt whose outcome nobody knows.
        None => match progress.attempt {
            Attempt::Recorded { signing_key_fingerprint } => {
                (before.webhook_id, Some(signing_key_fingerprint))
            }
            Attempt::None | Attempt::Outdated => (before.webhook_id, before.signing_key_fingerprint),
        },
    };
    FastioWebhookStatus {
        observed_generation: generation,
        conditions: verdict.conditions(generation, &before.conditions, now),
        url: progress.url.or(before.url),
        webhook_id: id,
        signing_key_fingerprint: fingerprint,
        receivers: progress.receivers.or(before.receivers),
    }
}
