//! What the activities of the `transfer` container share.

use std::sync::Arc;

use fastio::Client;
use fastio_pipeline::names::{ObjectKey, TaskQueue};
use fastio_pipeline::run::RunRequest;
use temporalio_sdk::activities::ActivityContext;

use crate::failure::Failure;
use crate::plan_key::PlanKeyFile;
use crate::scratch::{Room, RunFolder};

/// What the activities of the `transfer` container work with.
#[derive(Clone)]
pub struct Transfer {
    /// The Fast.io client, which holds the key.
    pub client: Client,
    /// The key of the seals.
    pub plan_key: PlanKeyFile,
    /// Slots and scratch space of this host.
    pub room: Arc<Room>,
    /// The pipeline that this worker belongs to.
    pub pipeline: ObjectKey,
    /// Its queue.
    pub queue: TaskQueue,
    /// Name of this host: the pod's.
    pub host: String,
}

/// The workflow and the execution that an activity works for.
pub(super) struct Run {
    pub(super) workflow_id: String,
    pub(super) run_id: String,
}

impl Run {
    pub(super) fn of(ctx: &ActivityContext) -> Result<Self, Failure> {
        match (&ctx.info().workflow_id, &ctx.info().workflow_run_id) {
            (Some(workflow_id), Some(run_id)) => {
                Ok(Self { workflow_id: workflow_id.clone(), run_id: run_id.clone() })
            }
            _ => Err(Failure::terminal("InvalidRequest", "the activity does not belong to a workflow")),
        }
    }
}

impl Transfer {
    /// The folder of the activity's run, and what the run may do: proven by the seal, not by what the activity was told.
    pub(super) fn claimed(&self, ctx: &ActivityContext) -> Result<(RunFolder, RunRequest), Failure> {
        let run = Run::of(ctx)?;
        let folder = self.room.scratch().run(&run.workflow_id);
        let request = folder.authentic_request(&self.plan_key.read()?, &run.workflow_id)?;
        Ok((folder, request))
    }
}
