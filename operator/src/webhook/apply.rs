//! Step 4: every child, and what came of it.
//!
//! Nothing is pruned, because there is no child that one spec has and another has not: all of them live as long as their
//! parent.

use std::time::Duration;

use kube::Client;

use super::build::Children;
use crate::children::apply;
use crate::children::rollout::Rollout;
use crate::problem::{Explain, Problem};

/// Deployments are watched; this is for a change that the watch has missed.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The children, as the API server has them now.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) receiver: Rollout,
    pub(super) intake: Rollout,
}

impl Applied {
    /// What keeps the webhook from being ready, if anything.
    pub(super) fn obstacle(&self) -> Option<Problem> {
        [&self.receiver, &self.intake].into_iter().find_map(|rollout| rollout.problem(LOOK_AGAIN))
    }
}

/// Applies all children. Deployments come last, so that no pod starts before what it needs is there.
pub(super) async fn apply(client: &Client, children: &Children) -> Result<Applied, Problem> {
    // Every field is named here: a new child cannot be forgotten.
    let Children {
        signing_secret,
        plan_key,
        receiver_account,
        intake_account,
        intake_role,
        intake_role_binding,
        receiver_service,
        receiver,
        intake,
    } = children;
    let all = async {
        apply::apply(client, signing_secret).await?;
        apply::apply(client, plan_key).await?;
        apply::apply(client, receiver_account).await?;
        apply::apply(client, intake_account).await?;
        apply::apply(client, intake_role).await?;
        apply::apply(client, intake_role_binding).await?;
        apply::apply(client, receiver_service).await?;
        Ok(Applied {
            receiver: Rollout::of(&apply::apply(client, receiver).await?),
            intake: Rollout::of(&apply::apply(client, intake).await?),
        })
    };
    all.await.map_err(|error: apply::ApplyError| error.problem())
}
