//! `RunStep`: one step, in the `steps` container.

use std::sync::Arc;

use fastio_pipeline::plan::StepName;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::heartbeat::beating;
use super::transfer::Run;
use crate::scratch::Scratch;
use crate::steps::{self, Cpu, Memory};

/// Runs a step of a run on what lies in the scratch space.
#[derive(Clone)]
pub struct RunStep {
    /// The scratch space that both containers see.
    pub scratch: Scratch,
    /// A turn on a processor.
    pub cpu: Cpu,
    /// Memory of the container.
    pub memory: Memory,
}

#[activities]
impl RunStep {
    /// Gives the size of the result in bytes. What the step is, is in the claim.
    #[activity(name = "RunStep")]
    pub async fn run_step(
        self: Arc<Self>,
        ctx: ActivityContext,
        step: StepName,
    ) -> Result<u64, ActivityError> {
        let folder = self.scratch.run(&Run::of(&ctx)?.workflow_id);
        beating(&ctx, || (), steps::run(folder, step, &self.cpu, &self.memory)).await
    }
}
