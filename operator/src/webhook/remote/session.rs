//! Bringing the webhook at Fast.io to what is wanted.

use std::time::Duration;

use fastio::signature::SigningSecret;
use fastio::{Client, ErrorClass, NewWebhook, Webhook, WebhookChange, WebhookId, WorkspaceId};
use fastio_crds::FastioWebhook;
use fastio_crds::conditions::Reason;

use super::super::status::{self, Attempt, Progress};
use super::look::{counted, list, supported};
use super::plan::{Action, Differences, plan};
use super::{Registration, RemoteError, Remotes, Wanted};
use crate::children::rollout::Rollout;
use crate::context::Context;
use crate::problem::Problem;
use crate::runtime::events::Happened;

/// Deployments are watched; this is for a change that the watch has missed.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// A client and what it saw.
#[derive(Debug)]
pub struct Session {
    pub(super) client: Client,
    pub(super) uid: String,
    pub(super) marked: Vec<Webhook>,
}

impl Session {
    /// Registers, corrects or keeps the webhook, and notes in `progress` what came of it, also where it fails.
    pub(in crate::webhook) async fn converge(
        self,
        context: &Context,
        remotes: &Remotes,
        webhook: &FastioWebhook,
        wanted: &Wanted,
        receiver: &Rollout,
        progress: &mut Progress,
    ) -> Result<(), Problem> {
        let known = webhook.status.clone().unwrap_or_default();
        let known = (known.webhook_id.as_deref(), known.signing_key_fingerprint.as_deref());
        let first = self.marked.is_empty() && known.0.is_none();
        if first && receiver.available == 0 {
            let message = "the webhook is registered as soon as a receiver can take events";
            return Err(Problem::waiting(Reason::RollingOut, message, LOOK_AGAIN));
        }
        let calls = Calls { context, client: &self.client, webhook, wanted, uid: &self.uid };
        let result = calls.carry_out(self.marked, known, &mut progress.attempt).await;
        match &result {
            Ok((_, marked)) => remotes.remember(&self.uid, marked.clone()),
            // What was seen was not true (any more).
            Err(_) => remotes.look_anew(&self.uid),
        }
        match result {
            Ok((registration, _)) => {
                progress.registration = Some(registration);
                Ok(())
            }
            Err(RemoteError::Call(error)) if error.class() == ErrorClass::Gone => {
                Err(Problem::passing(format!("the webhook has just been removed at Fast.io: {error}")))
            }
            Err(error) => Err(error.problem_with(&webhook.spec.api_key_secret_ref.name)),
        }
    }
}

struct Calls<'a> {
    context: &'a Context,
    client: &'a Client,
    webhook: &'a FastioWebhook,
    wanted: &'a Wanted,
    uid: &'a str,
}

type Known<'a> = (Option<&'a str>, Option<&'a str>);

impl Calls<'_> {
    async fn carry_out(
        &self,
        mut marked: Vec<Webhook>,
        known: Known<'_>,
        attempt: &mut Attempt,
    ) -> Result<(Registration, Vec<Webhook>), RemoteError> {
        let mut to_do = plan(self.wanted, &marked, known);
        if to_do.action == Action::Register {
            // What was seen may be a minute old, and creating is the one call that must not be made twice.
            marked = list(self.context, self.client, &self.wanted.workspace, self.uid).await?;
            to_do = plan(self.wanted, &marked, known);
        }
        let current = match to_do.action {
            Action::Keep(id) => {
                marked.into_iter().find(|webhook| webhook.id == id).map_or_else(Vec::new, |it| vec![it])
            }
            Action::Correct(id, differences) => vec![self.correct(&id, differences).await?],
            Action::Register => vec![self.register(attempt).await?],
        };
        for duplicate in &to_do.duplicates {
            remove(self.context, self.client, &self.wanted.workspace, duplicate).await?;
            self.corrected(&format!("removed the duplicate webhook {duplicate} at Fast.io")).await;
        }
        let id = current.first().map(|webhook| webhook.id.clone());
        let registration =
            id.map(|id| Registration { id, signing_key_fingerprint: self.wanted.secret.fingerprint() });
        // There is always one: it was kept, corrected or registered.
        registration.map(|registration| (registration, current)).ok_or(RemoteError::Unsupported)
    }

    async fn register(&self, attempt: &mut Attempt) -> Result<Webhook, RemoteError> {
        // Before the call, so that a webhook that was created and never recorded is not forgotten at deletion.
        let fingerprint = self.wanted.secret.fingerprint();
        match status::record_attempt(self.context, self.webhook, &fingerprint).await {
            Ok(()) => *attempt = Attempt::Recorded { signing_key_fingerprint: fingerprint },
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                *attempt = Attempt::Outdated;
                return Err(RemoteError::Outdated);
            }
            Err(error) => return Err(RemoteError::Record(Box::new(error))),
        }
        let new = NewWebhook {
            url: self.wanted.url.clone(),
            events: self.wanted.events.clone(),
            secret: self.secret()?,
        };
        let answer = self.client.create_webhook(&self.wanted.workspace, &new).await;
        let webhook = supported(counted(self.context, "webhooks.create", answer)?)?;
        let note = format!("registered webhook {} at Fast.io for {}", webhook.id, self.wanted.url);
        tracing::info!(uid = self.uid, "{note}");
        self.context.events.normal(self.webhook, Happened::WebhookRegistered, &note).await;
        Ok(webhook)
    }

    async fn correct(&self, id: &WebhookId, differences: Differences) -> Result<Webhook, RemoteError> {
        let change = WebhookChange {
            url: differences.url.then(|| self.wanted.url.clone()),
            events: differences.events.then(|| self.wanted.events.clone()),
            secret: differences.secret.then(|| self.secret()).transpose()?,
            enabled: differences.disabled.then_some(true),
        };
        let answer = self.client.update_webhook(&self.wanted.workspace, id, &change).await;
        let webhook = supported(counted(self.context, "webhooks.update", answer)?)?;
        self.corrected(&format!("corrected webhook {id} at Fast.io: {}", differences.names())).await;
        Ok(webhook)
    }

    async fn corrected(&self, note: &str) {
        tracing::info!(uid = self.uid, "{note}");
        self.context.events.normal(self.webhook, Happened::WebhookCorrected, note).await;
    }

    fn secret(&self) -> Result<SigningSecret, RemoteError> {
        Ok(SigningSecret::new(self.wanted.secret.expose())?)
    }
}

/// Removes a webhook; one that is gone already is fine.
pub(in crate::webhook) async fn remove(
    context: &Context,
    client: &Client,
    workspace: &WorkspaceId,
    id: &WebhookId,
) -> Result<(), RemoteError> {
    match counted(context, "webhooks.delete", client.delete_webhook(workspace, id).await) {
        Ok(_) => Ok(()),
        Err(error) if error.class() == ErrorClass::Gone => Ok(()),
        Err(error) => Err(error.into()),
    }
}
