//! Step 6: what deletion needs: the webhook at Fast.io goes, or stays, as the policy says, and the feed ends. Children go with
//! their parent; the intake goes before, because it keeps the feed running.
//!
//! Works on the object as JSON: neither a spec that validation refuses nor one that cannot even be parsed blocks deletion.

pub(in crate::webhook) mod feed;

use std::time::Duration;

use fastio::{Client, WorkspaceId};
use fastio_crds::conditions::Reason;
use fastio_crds::{DeletionPolicy, FastioWebhook, SecretKeyReference};
use kube::ResourceExt;
use kube::core::error_boundary::InvalidObject;

use super::observe::{Memory, api_key};
use super::remote::{RemoteError, list, remove};
use crate::context::Context;
use crate::problem::{Explain, Outlook, Problem};
use crate::raw::Raw;
use crate::runtime::events::Happened;
use crate::runtime::{Next, finalizer};
use crate::status::Verdict;

/// Nothing but a change of the object helps.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// What a person can do when the webhook at Fast.io cannot be removed.
const WAY_OUT: &str = "correct that (the API key must see the workspace and its webhooks) and the deletion goes on, or set \
                       spec.deletionPolicy to Retain to leave the webhook at Fast.io and let this object go";

/// An object that is being deleted.
pub(super) async fn cleanup(
    context: &Context,
    memory: &Memory,
    webhook: Raw<FastioWebhook>,
) -> kube::Result<Next> {
    if !finalizer::is_set(&webhook.object) {
        return Ok(Next::OnChange);
    }
    let uid = webhook.object.uid().unwrap_or_default();
    if let Err(problem) = let_go(context, &webhook, &uid).await {
        webhook.report(context, &verdict(&problem)).await?;
        return Ok(problem.outlook.into());
    }
    if let Some(message) = feed::end(context, memory, &webhook, &uid).await {
        webhook.report(context, &Verdict::Deleting(message)).await?;
        return Ok(Next::After(feed::LOOK_AGAIN));
    }
    memory.forget(&uid);
    finalizer::remove(&context.client, &webhook.object).await?;
    Ok(Next::OnChange)
}

/// An object that is not of its kind's form: it can be deleted, and else only be reported.
pub(super) async fn reject(
    context: &Context,
    memory: &Memory,
    invalid: &InvalidObject,
) -> kube::Result<Next> {
    let Some(webhook) = Raw::fetch(&context.client, invalid).await? else { return Ok(Next::OnChange) };
    if invalid.metadata.deletion_timestamp.is_some() {
        return cleanup(context, memory, webhook).await;
    }
    let message = format!("the object cannot be read: {}; correct it", invalid.error);
    webhook.report(context, &Verdict::Stalled(Reason::InvalidSpec, message)).await?;
    Ok(Next::After(LOOK_AGAIN))
}

fn verdict(problem: &Problem) -> Verdict {
    let message = format!("the webhook at Fast.io cannot be removed: {}", problem.message);
    match problem.outlook {
        Outlook::NeedsAction(_) => Verdict::DeletionStalled(problem.reason, format!("{message}; {WAY_OUT}")),
        Outlook::Passing { .. } | Outlook::Waiting(_) => Verdict::Deleting(message),
    }
}

async fn let_go(context: &Context, webhook: &Raw<FastioWebhook>, uid: &str) -> Result<(), Problem> {
    // Recorded before the first attempt to create a webhook.
    let attempted = webhook.has_status("webhookId") || webhook.has_status("signingKeyFingerprint");
    let workspace = webhook.spec_field::<String>("workspaceId").and_then(|id| id.parse::<WorkspaceId>().ok());
    let key = webhook.spec_field::<SecretKeyReference>("apiKeySecretRef");
    // Nothing can have been created without a workspace, or a key.
    let (true, Some(workspace), Some(key)) = (attempted, workspace, key) else { return Ok(()) };
    if webhook.spec_field("deletionPolicy") == Some(DeletionPolicy::Retain) {
        let note =
            format!("the webhook of workspace {workspace} is left at Fast.io, as spec.deletionPolicy says");
        context.events.normal(&webhook.object, Happened::WebhookRetained, &note).await;
        return Ok(());
    }
    let namespace = webhook.object.namespace().unwrap_or_default();
    let key = api_key(context, &namespace, &key).await.map_err(|error| error.problem())?;
    let removed = async {
        let client = context.fastio(key.key.clone())?;
        remove_marked(&client, &workspace, uid).await
    };
    match removed.await {
        Ok(0) => Ok(()),
        Ok(count) => {
            let note = format!("removed {count} webhook(s) of workspace {workspace} from Fast.io");
            context.events.normal(&webhook.object, Happened::WebhookRemoved, &note).await;
            Ok(())
        }
        // Also where the workspace or the webhook API is not to be seen: with another key, or another service, it may be.
        Err(error) => Err(error.problem_with(&key.secret)),
    }
}

/// Removes every webhook that carries our marker.
async fn remove_marked(client: &Client, workspace: &WorkspaceId, uid: &str) -> Result<usize, RemoteError> {
    let marked = list(client, workspace, uid).await?;
    for webhook in &marked {
        remove(client, workspace, &webhook.id).await?;
    }
    Ok(marked.len())
}
