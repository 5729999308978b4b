//! `Comment`: tells the people around the source file how the run ended.

use std::sync::Arc;

use fastio::Client;
use fastio_pipeline::seal::SealedRun;
use serde::{Deserialize, Serialize};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::heartbeat::beating;
use super::transfer::Run;
use crate::failure::Failure;
use crate::plan_key::PlanKeyFile;
use crate::transfer::comment::{Outcome, comment};

/// Writes the comment of a run. Needs nothing of a host, so it runs on every queue of the `transfer` container.
#[derive(Clone)]
pub struct WriteComment {
    /// The Fast.io client, which holds the key.
    pub client: Client,
    /// The key of the seals.
    pub plan_key: PlanKeyFile,
}

/// What to comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommentRequest {
    /// The run: there may be no claim (any more) to look at.
    pub sealed: SealedRun,
    /// How it ended.
    pub outcome: Outcome,
}

#[activities]
impl WriteComment {
    /// Gives the comment's id, or nothing if there is none to write.
    #[activity(name = "Comment")]
    pub async fn comment(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: CommentRequest,
    ) -> Result<Option<String>, ActivityError> {
        let run = Run::of(&ctx)?;
        let key = self.plan_key.read().map_err(Failure::from)?;
        let sealed = key.open(&request.sealed, &run.workflow_id).map_err(Failure::from)?;
        beating(&ctx, || (), comment(&self.client, &sealed, &request.outcome)).await
    }
}
