//! `ClaimHost`: a slot and scratch space on some host of the pipeline.

use std::sync::Arc;
use std::time::Duration;

use fastio_pipeline::names::TaskQueue;
use fastio_pipeline::seal::SealedRun;
use serde::{Deserialize, Serialize};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::Instant;

use super::heartbeat::beating;
use super::transfer::Transfer;
use crate::failure::Failure;
use crate::scratch::{Claim, Room, RoomError};

/// How long a claim waits for room before it goes back to the queue, where another host may take it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a waiting claim looks again: something may have been released without a word.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a claim waits for the pod's `steps` container: about what a restart takes. Less than [`PATIENCE`], for
/// another host may have both containers.
const STEPS_PATIENCE: Duration = Duration::from_secs(3);

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
        let (run, request) = self.0.open(&ctx, &sealed)?;
        let bytes = Room::bytes_for(request.source.size);
        let claim = Claim { workflow_id: run.workflow_id, run_id: run.run_id, bytes, sealed };
        let size = request.source.size;
        beating(&ctx, || "waiting for room", self.reserve(&claim, size, STEPS_PATIENCE)).await?;
        Ok(Host {
            name: self.0.host.clone(),
            transfer: TaskQueue::transfer_host(&self.0.queue, &self.0.host),
            steps: TaskQueue::steps_host(&self.0.queue, &self.0.host),
        })
    }
}

impl ClaimHost {
    async fn reserve(&self, claim: &Claim, size: u64, steps_patience: Duration) -> Result<(), Failure> {
        self.both_containers(steps_patience).await?;
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

    /// Waits for the `steps` container of this pod. Without it a run would download its file here for nothing.
    async fn both_containers(&self, patience: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + patience;
        while !self.0.room.scratch().steps_alive() {
            if Instant::now() >= deadline {
                let message = format!("the container \"steps\" of host {} does not run", self.0.host);
                return Err(Failure::not_now("StepsAway", &message));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
