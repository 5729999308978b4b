//! Step 5: the status, computed from what was seen and done (pure), and written once.

use fastio::{WebhookId, WorkspaceId};
use fastio_crds::{FastioWebhook, FastioWebhookStatus};
use jiff::Timestamp;

use super::delivery::{Origin, Route, Why};
use super::remote::feed::Feed;
use crate::children::rollout::Rollout;
use crate::context::Context;
use crate::problem::Problem;
use crate::status::{Verdict, publish_transition, write, write_if_unchanged};

/// How far the steps came: the status as it is to become. What a step does not get to stays as it was.
#[derive(Debug)]
pub(super) struct Progress {
    status: FastioWebhookStatus,
    /// The object has changed since it was read, as the record of an attempt has shown.
    pub(super) outdated: bool,
}

impl Progress {
    pub(super) fn new(webhook: &FastioWebhook) -> Self {
        Self { status: webhook.status.clone().unwrap_or_default(), outdated: false }
    }

    /// How events come in.
    pub(super) fn routed(&mut self, route: Route<'_>) {
        self.status.delivery = Some(route.name().to_owned());
        match route {
            Route::Push(ingress) | Route::Both(ingress) | Route::Kept(ingress, _) => {
                self.status.url = Some(ingress.url.to_string());
            }
            Route::Pull(_) => self.status.url = None,
            Route::Undecided => {}
        }
    }

    /// The receiver's pods. Where none is made, an earlier one may still be there: it is forgotten with [`Self::pruned`].
    pub(super) fn applied(&mut self, receiver: Option<&Rollout>) {
        if let Some(receiver) = receiver {
            self.status.receivers = Some(receiver.pods.clone());
        }
    }

    /// What the route has no use for is gone.
    pub(super) fn pruned(&mut self, route: Route<'_>) {
        if route.drops_receiver() {
            self.status.receivers = None;
        }
    }

    /// A webhook is about to be created, whatever comes of it.
    pub(super) fn attempted(&mut self, signing_key_fingerprint: String) {
        self.status.signing_key_fingerprint = Some(signing_key_fingerprint);
    }

    /// Fast.io has this webhook, and it signs with that key.
    pub(super) fn registered(&mut self, id: &WebhookId, signing_key_fingerprint: String) {
        self.status.webhook_id = Some(id.to_string());
        self.status.signing_key_fingerprint = Some(signing_key_fingerprint);
    }

    /// Fast.io has no webhook of ours any more.
    pub(super) fn deregistered(&mut self) {
        self.status.webhook_id = None;
        self.status.signing_key_fingerprint = None;
    }
}

/// How events come in, for people.
pub(super) fn describe(workspace: &WorkspaceId, route: Route<'_>, feed: Option<&Feed>) -> String {
    let feed_name = if feed == Some(&Feed::Events) { "event log" } else { "change feed" };
    let how = match route {
        Route::Push(ingress) => format!("are pushed{}", by_hand(&ingress.origin)),
        Route::Both(ingress) => match feed {
            Some(Feed::Unreadable(why)) => format!(
                "are pushed{}, without the feed as a safety net, because the API key may not read it ({why})",
                by_hand(&ingress.origin)
            ),
            _ => {
                format!("are pushed{}, with the {feed_name} as a safety net", by_hand(&ingress.origin))
            }
        },
        Route::Pull(Why::Wanted) | Route::Undecided => format!("are pulled from the {feed_name}"),
        Route::Pull(Why::Unsupported) => {
            format!("are pulled from the {feed_name}: the service has no webhooks that could push them")
        }
        Route::Kept(_, Why::Wanted | Why::Unsupported) => format!(
            "are pulled from the {feed_name}: the service says that it has no webhooks (any more); the receiver stays for \
             the one that was registered"
        ),
        Route::Pull(Why::Forbidden(why)) | Route::Kept(_, Why::Forbidden(why)) => {
            format!("are pulled from the {feed_name}: webhooks cannot be registered with this key: {why}")
        }
    };
    format!("events of workspace {workspace} {how}")
}

fn by_hand(origin: &Origin) -> &'static str {
    match origin {
        Origin::Registered => "",
        Origin::ByHand { .. } => " by the webhook that somebody made by hand for status.url",
    }
}

/// Writes the status if it has changed, whatever the steps came to. An outdated one is not written: it could undo what
/// another operator has just recorded.
pub(super) async fn report(
    context: &Context,
    webhook: &FastioWebhook,
    progress: Progress,
    result: &Result<String, Problem>,
) -> kube::Result<()> {
    if progress.outdated {
        return Ok(());
    }
    let verdict = match result {
        Ok(message) => Verdict::Ready(message.clone()),
        Err(problem) => Verdict::from(problem),
    };
    let before = webhook.status.clone().unwrap_or_default();
    let generation = webhook.metadata.generation;
    let status = FastioWebhookStatus {
        observed_generation: generation,
        conditions: verdict.conditions(generation, &before.conditions, Timestamp::now()),
        ..progress.status
    };
    if status == before {
        return Ok(());
    }
    write(&context.client, webhook, &status).await?;
    publish_transition(&context.events, webhook, &before.conditions, &status.conditions, &verdict).await;
    Ok(())
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
