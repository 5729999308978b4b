//! `ReleaseHost`: gives up what a run holds on a host.

use std::sync::Arc;

use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::transfer::{Run, Transfer};
use crate::failure::Failure;

/// Releases the claim of a run and removes its files.
#[derive(Clone)]
pub struct ReleaseHost(pub Transfer);

#[activities]
impl ReleaseHost {
    /// Nothing to release is as good as released.
    #[activity(name = "ReleaseHost")]
    pub async fn release_host(self: Arc<Self>, ctx: ActivityContext) -> Result<(), ActivityError> {
        let run = Run::of(&ctx)?;
        let released = self.0.room.release(&run.workflow_id, &run.run_id).await;
        released.map_err(|error| Failure::retry("ScratchFailed", &error).into())
    }
}
