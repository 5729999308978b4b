//! Bringing the webhook at Fast.io to what is wanted.

use std::time::Duration;

use fastio::signature::SigningSecret;
use fastio::{Client, ErrorClass, NewWebhook, Webhook, WebhookChange, WebhookId, WorkspaceId};
use fastio_crds::FastioWebhook;
use fastio_crds::conditions::Reason;

use super::super::status::{self, Progress};
use super::look::{list, supported};
use super::plan::{Action, Differences, plan};
use super::{Found, RemoteError, Remotes, Wanted};
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
    /// `None`: it was not asked, because no webhook is wanted and none was ever registered.
    pub(super) found: Option<Found>,
    /// What the key was refused is worth another try.
    pub(super) may_try: bool,
}

/// What came of a registration.
#[derive(Debug)]
pub(in crate::webhook) enum Registration {
    /// The webhook is as it should be.
    Done,
    /// The API key may not register or change it.
    Refused(Problem),
}

impl Session {
    /// The client, which knows the rate limit of its key.
    pub(in crate::webhook) fn client(&self) -> &Client {
        &self.client
    }

    /// What Fast.io says about webhooks.
    pub(in crate::webhook) fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Whether to register where it works without a webhook: not over and over with a key that may not.
    pub(in crate::webhook) fn may_try(&self) -> bool {
        self.may_try && self.found.as_ref().is_some_and(|found| found.marked().is_ok())
    }

    /// Registers, corrects or keeps the webhook, and notes in `progress` what came of it, also where it fails.
    pub(in crate::webhook) async fn register(
        &self,
        context: &Context,
        remotes: &Remotes,
        webhook: &FastioWebhook,
        wanted: &Wanted,
        receivers: i32,
        progress: &mut Progress,
    ) -> Result<Registration, Problem> {
        let secret = &webhook.spec.api_key_secret_ref.name;
        let marked = self.found.as_ref().map_or(Err(RemoteError::Unsupported), Found::marked);
        let marked = marked.map_err(|error| error.problem_with(secret))?;
        let known = webhook.status.clone().unwrap_or_default();
        let known = (known.webhook_id.as_deref(), known.signing_key_fingerprint.as_deref());
        let first = marked.is_empty() && known.0.is_none();
        if first && receivers == 0 {
            let message = "the webhook is registered as soon as a receiver can take events";
            return Err(Problem::waiting(Reason::RollingOut, message, LOOK_AGAIN));
        }
        let calls = Calls { context, client: &self.client, webhook, wanted, uid: &self.uid };
        let result = calls.carry_out(marked.to_vec(), known, progress).await;
        match &result {
            Ok((_, marked)) => remotes.remember(&self.uid, marked.clone()),
            // What was seen was not true (any more).
            Err(_) => remotes.look_anew(&self.uid),
        }
        match result {
            Ok((id, _)) => {
                progress.registered(&id, wanted.secret.fingerprint());
                Ok(Registration::Done)
            }
            Err(RemoteError::Call(error)) if error.class() == ErrorClass::Gone => {
                Err(Problem::passing(format!("the webhook has just been removed at Fast.io: {error}")))
            }
            Err(error) if error.is_forbidden() => {
                remotes.refused(&self.uid, error.to_string());
                Ok(Registration::Refused(error.problem_with(secret)))
            }
            Err(error) => Err(error.problem_with(secret)),
        }
    }

    /// Removes what was registered before, because nothing should be (any more).
    ///
    /// A service that says that it has no webhooks may say something else tomorrow: the record of the webhook stays, so that
    /// it is looked for again.
    pub(in crate::webhook) async fn deregister(
        &self,
        context: &Context,
        remotes: &Remotes,
        webhook: &FastioWebhook,
        workspace: &WorkspaceId,
        progress: &mut Progress,
    ) -> Result<(), Problem> {
        let secret = &webhook.spec.api_key_secret_ref.name;
        let marked = match self.found.as_ref().map(Found::marked) {
            None | Some(Err(RemoteError::Unsupported)) => return Ok(()),
            Some(marked) => marked.map_err(|error| error.problem_with(secret))?,
        };
        for found in marked {
            if let Err(error) = remove(&self.client, workspace, &found.id).await {
                remotes.look_anew(&self.uid);
                let mut problem = error.problem_with(secret);
                problem.message = format!(
                    "the webhook {} cannot be removed at Fast.io, and the receiver stays until it is: {}",
                    found.id, problem.message
                );
                return Err(problem);
            }
            let note = format!("removed webhook {} at Fast.io: spec.delivery wants none", found.id);
            tracing::info!(uid = self.uid, "{note}");
            context.events.normal(webhook, Happened::WebhookRemoved, &note).await;
        }
        remotes.remember(&self.uid, Vec::new());
        progress.deregistered();
        Ok(())
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
        progress: &mut Progress,
    ) -> Result<(WebhookId, Vec<Webhook>), RemoteError> {
        let mut to_do = plan(self.wanted, &marked, known);
        if to_do.action == Action::Register {
            // What was seen may be a minute old, and creating is the one call that must not be made twice.
            marked = list(self.client, &self.wanted.workspace, self.uid).await?;
            to_do = plan(self.wanted, &marked, known);
        }
        let current = match to_do.action {
            Action::Keep(id) => {
                marked.into_iter().find(|webhook| webhook.id == id).map_or_else(Vec::new, |it| vec![it])
            }
            Action::Correct(id, differences) => vec![self.correct(&id, differences).await?],
            Action::Register => vec![self.register(progress).await?],
        };
        for duplicate in &to_do.duplicates {
            remove(self.client, &self.wanted.workspace, duplicate).await?;
            self.corrected(&format!("removed the duplicate webhook {duplicate} at Fast.io")).await;
        }
        let id = current.first().map(|webhook| webhook.id.clone());
        // There is always one: it was kept, corrected or registered.
        id.map(|id| (id, current)).ok_or(RemoteError::Unsupported)
    }

    async fn register(&self, progress: &mut Progress) -> Result<Webhook, RemoteError> {
        // Before the call, so that a webhook that was created and never recorded is not forgotten at deletion.
        let fingerprint = self.wanted.secret.fingerprint();
        match status::record_attempt(self.context, self.webhook, &fingerprint).await {
            Ok(()) => progress.attempted(fingerprint),
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                progress.outdated = true;
                return Err(RemoteError::Outdated);
            }
            Err(error) => return Err(RemoteError::Record(Box::new(error))),
        }
        let new = NewWebhook {
            url: self.wanted.url.clone(),
            events: self.wanted.events.clone(),
            secret: self.secret()?,
        };
        let webhook = supported(self.client.create_webhook(&self.wanted.workspace, &new).await?)?;
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
        let webhook = supported(self.client.update_webhook(&self.wanted.workspace, id, &change).await?)?;
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
    client: &Client,
    workspace: &WorkspaceId,
    id: &WebhookId,
) -> Result<(), RemoteError> {
    match client.delete_webhook(workspace, id).await {
        Ok(_) => Ok(()),
        Err(error) if error.class() == ErrorClass::Gone => Ok(()),
        Err(error) => Err(error.into()),
    }
}
