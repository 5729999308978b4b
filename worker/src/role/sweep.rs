//! Gives up claims whose runs are over: of runs that were terminated, and of runs that went on elsewhere. Removes what
//! lies there without a claim.

use std::sync::Arc;
use std::time::Duration;

use temporalio_client::errors::WorkflowInteractionError;
use temporalio_client::{
    Client, NamespacedClient, WorkflowDescribeOptions, WorkflowExecutionInfo, WorkflowExecutionStatus,
    WorkflowHandle,
};
use temporalio_common::UntypedWorkflow;
use tokio_util::sync::CancellationToken;

use crate::scratch::{Claim, Room};

/// Pause between two sweeps.
const PAUSE: Duration = Duration::from_mins(3);

/// Sweeps until `stop`, the first time at once: a container that starts may find claims that are over.
pub(super) async fn sweep(client: Client, room: Arc<Room>, stop: CancellationToken) {
    loop {
        match room.claims() {
            Ok(claims) => {
                for claim in claims {
                    sweep_one(&client, &room, &claim).await;
                }
            }
            Err(error) => tracing::warn!(%error, "claims cannot be listed"),
        }
        match room.remove_unclaimed().await {
            Ok(0) => {}
            Ok(folders) => tracing::info!(folders, "swept folders without a claim"),
            Err(error) => tracing::warn!(%error, "folders without a claim cannot be removed"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn sweep_one(client: &Client, room: &Room, claim: &Claim) {
    match is_over(client, claim).await {
        Ok(false) => {}
        Ok(true) => match room.release(&claim.workflow_id, &claim.run_id).await {
            Ok(()) => tracing::info!(workflow = claim.workflow_id, "swept the claim of a run that is over"),
            Err(error) => tracing::warn!(workflow = claim.workflow_id, %error, "a claim cannot be released"),
        },
        Err(error) => {
            tracing::debug!(workflow = claim.workflow_id, %error, "cannot ask for a run; it keeps its claim");
        }
    }
}

async fn is_over(client: &Client, claim: &Claim) -> Result<bool, WorkflowInteractionError> {
    let execution = WorkflowExecutionInfo::builder()
        .namespace(client.namespace())
        .workflow_id(claim.workflow_id.clone())
        .run_id(claim.run_id.clone())
        .build();
    let run: WorkflowHandle<Client, UntypedWorkflow> = WorkflowHandle::new(client.clone(), execution);
    match run.describe(WorkflowDescribeOptions::default()).await {
        Ok(described) => Ok(described.status() != WorkflowExecutionStatus::Running),
        // Temporal has forgotten it.
        Err(WorkflowInteractionError::NotFound(_)) => Ok(true),
        Err(error) => Err(error),
    }
}
