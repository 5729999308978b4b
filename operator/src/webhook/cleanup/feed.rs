//! The end of the intake, and then of the `Feed` workflow, which would stay open for ever.
//!
//! The intake goes first, because it starts the workflow again whenever it does not run. The workflow is terminated: to
//! handle a cancellation it would need the intake.

use std::time::Duration;

use fastio_crds::{FastioWebhook, TemporalConnection};
use fastio_pipeline::names::{FEED_DELETED, ObjectKey, WorkflowId};
use k8s_openapi::api::apps::v1::Deployment;

use super::super::observe::Memory;
use crate::children::labels::Part;
use crate::children::owner::Owner;
use crate::children::prune::prune_last;
use crate::connection::{Access, AccessError};
use crate::context::Context;
use crate::problem::{Explain, Outlook};
use crate::raw::Raw;

/// Longest time that intake and feed hold the deletion: more than a pod has to end.
pub(in crate::webhook) const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked whether they still do.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Ends both as far as it goes now. What there is to wait for; `None` if nothing is left, or after [`PATIENCE`].
pub(super) async fn end(
    context: &Context,
    memory: &Memory,
    webhook: &Raw<FastioWebhook>,
    uid: &str,
) -> Option<String> {
    // Without a namespace, name and uid there are no children.
    let owner = Owner::of(&webhook.object)?;
    let is_patient = memory.ending_for(uid) < PATIENCE;
    let pods = end_intake(context, &owner).await;
    if is_patient && pods.is_some() {
        return pods;
    }
    let feed = end_feed(context, memory, webhook, &owner).await;
    let left: Vec<_> = [pods, feed].into_iter().flatten().collect();
    if left.is_empty() {
        return None;
    }
    let left = left.join("; ");
    if is_patient {
        return Some(left);
    }
    tracing::warn!(webhook = owner.name(), namespace = owner.namespace(), left, "let go all the same");
    None
}

async fn end_intake(context: &Context, owner: &Owner) -> Option<String> {
    let name = Part::Intake.name(owner.name());
    match prune_last::<Deployment>(&context.client, owner, &name).await {
        Ok(true) => None,
        Ok(false) => Some(format!("the pods of Deployment {name} are ending")),
        Err(error) => Some(error.to_string()),
    }
}

async fn end_feed(
    context: &Context,
    memory: &Memory,
    webhook: &Raw<FastioWebhook>,
    owner: &Owner,
) -> Option<String> {
    let key = ObjectKey::new(owner.namespace(), owner.name()).ok()?;
    let feed = WorkflowId::feed(&context.settings.installation, &key);
    let access = match access(context, webhook, owner).await? {
        Ok(access) => access,
        Err(error) if matches!(error.problem().outlook, Outlook::Passing { .. }) => {
            return Some(format!("the workflow {feed} cannot be ended: {error}"));
        }
        Err(error) => {
            tracing::warn!(workflow = %feed, %error, "the feed is left as it is");
            return None;
        }
    };
    let ended = memory.temporal.terminate(&context.root_key, &access, &feed, FEED_DELETED).await;
    ended.err().map(|error| format!("the workflow {feed} cannot be ended: Temporal: {error}"))
}

/// The Temporal connection; `None` if nobody knows which, as the spec's cannot be read.
async fn access(
    context: &Context,
    webhook: &Raw<FastioWebhook>,
    owner: &Owner,
) -> Option<Result<Access, AccessError>> {
    let is_own = webhook.spec.get("temporal").is_some_and(|temporal| !temporal.is_null());
    let own = webhook.spec_field::<TemporalConnection>("temporal");
    if is_own && own.is_none() {
        tracing::warn!(webhook = owner.name(), "spec.temporal cannot be read: the feed is left as it is");
        return None;
    }
    let default = context.settings.temporal.as_ref();
    Some(Access::of(&context.client, owner.namespace(), own.as_ref(), default).await)
}
