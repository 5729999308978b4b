//! What the activities of the `transfer` container share.

use std::sync::Arc;
use std::time::SystemTime;

use fastio::Client;
use fastio_pipeline::names::{ObjectKey, TaskQueue};
use fastio_pipeline::run::RunRequest;
use fastio_pipeline::seal::{SealError, SealedRun};
use fastio_temporal::failure::Class;
use temporalio_sdk::activities::ActivityContext;

use crate::failure::Failure;
use crate::plan_key::{KEY_GRACE, PlanKeyFile};
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
    /// The activity's run and what it may do, for an activity that is told so: no claim is there yet to look at.
    pub(super) fn open(
        &self,
        ctx: &ActivityContext,
        sealed: &SealedRun,
    ) -> Result<(Run, RunRequest), Failure> {
        let run = Run::of(ctx)?;
        let request = self
            .plan_key
            .read()?
            .open(sealed, &run.workflow_id)
            .map_err(|error| refused(error, ctx.info().scheduled_time))?;
        self.own(&request)?;
        Ok((run, request))
    }

    /// A webhook's pipelines share a plan key, so the seal alone does not say that the run is ours.
    fn own(&self, request: &RunRequest) -> Result<(), Failure> {
        let (theirs, ours) = (&request.plan.pipeline, &self.pipeline);
        if theirs == ours {
            Ok(())
        } else {
            let message = format!("the run is one of {theirs}, this worker belongs to {ours}");
            Err(Failure::terminal("InvalidRequest", &message))
        }
    }

    /// The folder of the activity's run, and what the run may do: proven by the seal, not by what the activity was told.
    pub(super) fn claimed(&self, ctx: &ActivityContext) -> Result<(RunFolder, RunRequest), Failure> {
        let run = Run::of(ctx)?;
        let folder = self.room.scratch().run(&run.workflow_id);
        let request = folder.authentic_request(&self.plan_key.read()?, &run.workflow_id)?;
        Ok((folder, request))
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
    use std::time::Duration;

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
