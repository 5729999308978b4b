//! `ClaimHost`: a slot and scratch space on some host of the pipeline.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastio_pipeline::names::TaskQueue;
use fastio_pipeline::run::RunRequest;
use fastio_pipeline::seal::{SealError, SealedRun};
use fastio_temporal::failure::Class;
use serde::{Deserialize, Serialize};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::Instant;

use super::heartbeat::beating;
use super::transfer::{Run, Transfer};
use crate::failure::Failure;
use crate::plan_key::KEY_GRACE;
use crate::scratch::{Claim, Room, RoomError};

/// How long a claim waits for room before it goes back to the queue, where another host may take it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a waiting claim looks again: something may have been released without a word.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Reserves a host for a run. Runs on the pipeline's queue, so whichever host has time for it answers.
#[derive(Clone)]
pub struct ClaimHost(pub Transfer);

/// A host that is reserved for a run, and its queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// The pod.
    pub name: String,
    /// Queue of its `transfer` container.
    pub transfer: TaskQueue,
    /// Queue of its `steps` container.
    pub steps: TaskQueue,
}

#[activities]
impl ClaimHost {
    /// Checks the seal, then reserves room. The only activity that is told what to do; the others look at the claim.
    #[activity(name = "ClaimHost")]
    pub async fn claim_host(
        self: Arc<Self>,
        ctx: ActivityContext,
        sealed: SealedRun,
    ) -> Result<Host, ActivityError> {
        let run = Run::of(&ctx)?;
        let key = self.0.plan_key.read().map_err(Failure::from)?;
        let request =
            key.open(&sealed, &run.workflow_id).map_err(|error| refused(error, ctx.info().scheduled_time))?;
        self.own(&request)?;
        let bytes = Room::bytes_for(request.source.size);
        let claim = Claim { workflow_id: run.workflow_id, run_id: run.run_id, bytes, sealed };
        let size = request.source.size;
        beating(&ctx, || "waiting for room", self.reserve(&claim, size)).await?;
        Ok(Host {
            name: self.0.host.clone(),
            transfer: TaskQueue::transfer_host(&self.0.queue, &self.0.host),
            steps: TaskQueue::steps_host(&self.0.queue, &self.0.host),
        })
    }
}

impl ClaimHost {
    /// A webhook's pipelines share a plan key, so the seal alone does not say that the run is ours.
    fn own(&self, request: &RunRequest) -> Result<(), Failure> {
        let (theirs, ours) = (&request.plan.pipeline, &self.0.pipeline);
        if theirs == ours {
            Ok(())
        } else {
            let message = format!("the run is one of {theirs}, this worker belongs to {ours}");
            Err(Failure::terminal("InvalidRequest", &message))
        }
    }

    async fn reserve(&self, claim: &Claim, size: u64) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.0.room.claim(claim).await {
                Ok(()) => return Ok(()),
                Err(RoomError::Full) if Instant::now() < deadline => self.0.room.freed(LOOK_AGAIN).await,
                Err(RoomError::TooBig { needed, available }) => {
                    let message = format!(
                        "the file has {size} bytes and needs {needed} bytes of scratch space, but a worker of {} has \
                         only {available}; raise spec.workers.scratch.size",
                        self.0.pipeline
                    );
                    return Err(Failure::terminal("TooBigForScratch", &message));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A wrong seal may be a key that this pod does not see yet: for [`KEY_GRACE`] it is tried again, on whichever host.
fn refused(error: SealError, scheduled: Option<SystemTime>) -> Failure {
    let may_pass = matches!(error, SealError::NotAuthentic);
    let failure = Failure::from(error);
    let Some(scheduled) = scheduled.filter(|_| may_pass) else { return failure };
    // A clock of the cluster that is ahead of ours makes the wait longer by that much, not endless.
    let waited = SystemTime::now().duration_since(scheduled).unwrap_or_default();
    if waited < KEY_GRACE { Failure { class: Class::Attention, ..failure } } else { failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_seal_is_final_after_ten_minutes_and_another_runs_seal_at_once() {
        let other =
            || SealError::OtherWorkflow { sealed_for: "one".to_owned(), found_in: "another".to_owned() };
        let now = SystemTime::now();
        for (error, scheduled, class) in [
            (SealError::NotAuthentic, Some(now), Class::Attention),
            (SealError::NotAuthentic, Some(now - Duration::from_mins(9)), Class::Attention),
            (SealError::NotAuthentic, Some(now - Duration::from_mins(10)), Class::Terminal),
            (SealError::NotAuthentic, None, Class::Terminal),
            (other(), Some(now), Class::Terminal),
        ] {
            let failure = refused(error.clone(), scheduled);
            assert_eq!((failure.type_name, failure.class), ("NotAuthentic", class), "{error} {scheduled:?}");
        }
    }
}
