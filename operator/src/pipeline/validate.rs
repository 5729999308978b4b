//! Step 2: from a spec and the webhook that it names to a value that cannot be wrong. Pure.

use std::time::Duration;

use fastio_crds::compile::{self, InvalidPipeline};
use fastio_crds::conditions::Reason;
use fastio_crds::{FastioWebhook, FilePipeline, SecretKeyReference, Size, SizeError, Workers};
use fastio_pipeline::event::EventKind;
use fastio_pipeline::names::{Installation, ObjectKey, TaskQueue};
use kube::ResourceExt;

use super::observe::Observed;
use crate::children::owner::Owner;
use crate::connection::{Access, AccessError};
use crate::problem::{Explain, Problem};
use crate::status::readiness;

/// Nothing but a change of the spec helps, and that is noticed at once.
const LOOK_AGAIN: Duration = Duration::from_mins(10);
/// Webhooks are watched; this is for a change that the watch has missed.
const WEBHOOK_AGAIN: Duration = Duration::from_secs(30);

/// A `FilePipeline` with all that its children need.
#[derive(Debug)]
pub(super) struct Valid {
    pub(super) owner: Owner,
    pub(super) key: ObjectKey,
    pub(super) queue: TaskQueue,
    pub(super) webhook: Webhook,
    pub(super) temporal: Access,
    pub(super) workers: Workers,
    pub(super) scratch: Size,
}

/// What a pipeline needs of its webhook.
#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) api_key: SecretKeyReference,
    /// Why it is not ready, if it is not.
    unready: Option<String>,
}

impl Webhook {
    /// What keeps the pipeline from being ready, if the webhook does.
    pub(super) fn problem(&self) -> Option<Problem> {
        let why = self.unready.as_ref()?;
        let message = format!("FastioWebhook {} is not ready: {why}", self.name);
        Some(Problem::waiting(Reason::WebhookNotReady, message, WEBHOOK_AGAIN))
    }
}

/// What is wrong. Most of it is refused by the API server's rules already.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("the object was not read from the API server: it has no namespace, name or uid")]
    NotStored,
    #[error(transparent)]
    Plan(#[from] InvalidPipeline),
    #[error("spec.workers.scratch.size: {0}")]
    ScratchSize(#[from] SizeError),
    #[error("there is no FastioWebhook {0} in this namespace; create it, or correct spec.webhookRef.name")]
    NoWebhook(String),
    #[error("FastioWebhook {0} cannot be read; see its status")]
    UnreadableWebhook(String),
    #[error(
        "spec.match.events: {event} is not subscribed to by FastioWebhook {webhook}; add it to that one's spec.events, or \
         leave it out here"
    )]
    NotSubscribed { event: &'static str, webhook: String },
    #[error(transparent)]
    Temporal(#[from] AccessError),
}

impl Explain for Invalid {
    fn problem(&self) -> Problem {
        let message = self.to_string();
        match self {
            Self::NotStored | Self::Plan(_) | Self::ScratchSize(_) | Self::NotSubscribed { .. } => {
                Problem::needs_action(Reason::InvalidSpec, message, LOOK_AGAIN)
            }
            // Manifests may be applied in any order.
            Self::NoWebhook(_) => Problem::waiting(Reason::WebhookNotFound, message, WEBHOOK_AGAIN),
            Self::UnreadableWebhook(_) => Problem::waiting(Reason::WebhookNotReady, message, WEBHOOK_AGAIN),
            Self::Temporal(error) => error.problem(),
        }
    }
}

pub(super) fn validate(
    pipeline: &FilePipeline,
    installation: &Installation,
    observed: Observed,
) -> Result<Valid, Problem> {
    check(pipeline, installation, observed).map_err(|error| error.problem())
}

fn check(pipeline: &FilePipeline, installation: &Installation, observed: Observed) -> Result<Valid, Invalid> {
    let owner = Owner::of(pipeline).ok_or(Invalid::NotStored)?;
    // The intake compiles for each event; here it is to say early what is wrong.
    let plan = compile::plan(pipeline)?;
    let workers = pipeline.spec.workers.clone();
    let scratch = workers.scratch.size.parse()?;
    let name = &pipeline.spec.webhook_ref.name;
    let found = observed.webhook.ok_or_else(|| Invalid::NoWebhook(name.clone()))?;
    let webhook = found.webhook.0.as_ref().map_err(|_| Invalid::UnreadableWebhook(name.clone()))?;
    let subscribed = &webhook.spec.events;
    if let Some(event) = pipeline.spec.match_rules.events.iter().find(|event| !subscribed.contains(event)) {
        let event = EventKind::from(*event).as_str();
        return Err(Invalid::NotSubscribed { event, webhook: name.clone() });
    }
    Ok(Valid {
        queue: TaskQueue::pipeline(installation, &plan.pipeline),
        key: plan.pipeline,
        webhook: used(webhook),
        temporal: found.temporal?,
        workers,
        scratch,
        owner,
    })
}

fn used(webhook: &FastioWebhook) -> Webhook {
    let conditions = webhook.status.as_ref().map_or(&[][..], |status| &status.conditions);
    let (is_ready, condition) = readiness(webhook.metadata.generation, conditions);
    let why = || condition.map_or_else(|| "it was not looked at yet".to_owned(), |c| c.message.clone());
    Webhook {
        name: webhook.name_any(),
        uid: webhook.uid().unwrap_or_default(),
        api_key: webhook.spec.api_key_secret_ref.clone(),
        unready: (!is_ready).then(why),
    }
}
