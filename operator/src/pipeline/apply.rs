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
    pub(super) worker: Rollout,
}

impl Applied {
    /// What keeps the pipeline from being ready, if anything.
    pub(super) fn obstacle(&self) -> Option<Problem> {
        self.worker.problem(LOOK_AGAIN)
    }
}

/// Applies all children. The Deployment comes last, so that no pod starts before what it needs is there.
pub(super) async fn apply(client: &Client, children: &Children) -> Result<Applied, Problem> {
    // Every field is named here: a new child cannot be forgotten.
    let Children { worker_account, worker } = children;
    let all = async {
        apply::apply(client, worker_account).await?;
        Ok(Applied { worker: Rollout::of(&apply::apply(client, worker).await?) })
    };
    all.await.map_err(|error: apply::ApplyError| error.problem())
}
