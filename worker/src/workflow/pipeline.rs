//! The workflow: look for results if there may be some; claim, work, comment, release.
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use fastio_pipeline::run::{RunOutcome, RunReport, RunRequest};
use fastio_pipeline::seal::SealedRun;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowContextView, WorkflowResult, WorkflowTermination};

use super::ending::{Ending, RunFailure};
use super::hosting::output_folder;
use super::options;
use super::status::{Phase, Status};
use crate::activities::{CommentRequest, FindResults, Host, WriteComment};
use crate::failure::NOT_AUTHENTIC;
use crate::transfer::comment::Outcome;

/// Marks, in their histories, the runs that look for results.
const FIND_RESULTS: &str = "find-results";

/// One file through one pipeline. Its id is that of pipeline, file and version; its input is sealed by the intake, and
/// no activity does anything for a run without that seal.
#[workflow]
#[derive(Default)]
pub struct FilePipeline {
    pub(super) status: Status,
}

#[workflow_methods]
impl FilePipeline {
    /// Runs the plan for the file.
    #[run(name = "FilePipeline")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, sealed: SealedRun) -> WorkflowResult<RunReport> {
        let request = match sealed.unverified() {
            Ok(request) => request,
            Err(error) => return Err(RunFailure::new("InvalidRequest", error.to_string()).into()),
        };
        ctx.state_mut(|run| run.status.source_bytes = request.source.size);
        let outcome = match Self::found(ctx, &sealed, &request).await {
            Ok(Some(report)) => Ok(report),
            Ok(None) => Self::process(ctx, sealed, &request).await,
            Err(ending) => Err(ending),
        };
        ctx.state_mut(|run| run.status.phase = Phase::Done);
        match outcome {
            Ok(report) => Ok(report),
            Err(Ending::Cancelled) => Err(WorkflowTermination::cancelled()),
            Err(Ending::Failed(failure)) => Err(failure.into()),
            Err(Ending::HostLost(why)) => Err(RunFailure::new("HostLost", why).into()),
            Err(Ending::Stuck(error)) => Err((*error).into()),
        }
    }

    /// How far the run is: `temporal workflow query --name status`.
    #[query(name = "status")]
    #[must_use]
    pub fn status(&self, _ctx: &WorkflowContextView) -> Status {
        self.status.clone()
    }
}

impl FilePipeline {
    /// What an earlier run made, where the request says that there may have been one: then nothing is left to do, and
    /// the comment was written then.
    ///
    /// A look that fails is no reason to fail the run. It makes the results; uploading finds those that are there.
    async fn found(
        ctx: &WorkflowContext<Self>,
        sealed: &SealedRun,
        request: &RunRequest,
    ) -> Result<Option<RunReport>, Ending> {
        // While an installation is updated, an older worker may have begun a run that asks for this.
        if !request.check_results || !ctx.patched(FIND_RESULTS) {
            return Ok(None);
        }
        Self::enter(ctx, Phase::Looking, None, &[]);
        let looked = ctx.execute_activity(FindResults::find_results, sealed.clone(), options::find_results());
        let results = match looked.await.map_err(Ending::from) {
            Ok(Some(results)) => results,
            Ok(None) | Err(Ending::Failed(_) | Ending::HostLost(_)) => return Ok(None),
            Err(ending) => return Err(ending),
        };
        ctx.state_mut(|run| run.status.results.clone_from(&results));
        let outcome = RunOutcome::AlreadyProcessed;
        Ok(Some(RunReport { outcome, folder: output_folder(request), results, comment: None }))
    }

    /// Does the work, tells about it, and leaves nothing behind.
    async fn process(
        ctx: &WorkflowContext<Self>,
        sealed: SealedRun,
        request: &RunRequest,
    ) -> Result<RunReport, Ending> {
        let mut host = None;
        let outcome = Self::on_hosts(ctx, &sealed, request, &mut host).await;
        let outcome = Self::comment(ctx, sealed, request, host.as_ref(), outcome).await;
        Self::release(ctx, host.as_ref()).await;
        outcome
    }

    /// Tells the people around the file, and adds the comment to the report. A run that has made its results does not
    /// fail because it cannot talk about them.
    async fn comment(
        ctx: &WorkflowContext<Self>,
        sealed: SealedRun,
        request: &RunRequest,
        host: Option<&Host>,
        outcome: Result<RunReport, Ending>,
    ) -> Result<RunReport, Ending> {
        let told = match &outcome {
            Ok(report) if request.plan.success_comment.is_some() => Outcome::Succeeded {
                folder: report.folder.clone(),
                results: report.results.iter().map(|result| result.name.clone()).collect(),
            },
            Err(Ending::Failed(failure))
                if request.plan.failure_comment.is_some() && failure.type_name != NOT_AUTHENTIC =>
            {
                Outcome::Failed { error: failure.message.clone() }
            }
            _ => return outcome,
        };
        ctx.state_mut(|run| run.status.phase = Phase::Commenting);
        let told = CommentRequest { sealed, outcome: told };
        let written = match host {
            Some(host) => match Self::write(ctx, told.clone(), Some(host)).await {
                Err(Ending::HostLost(_)) => Self::write(ctx, told, None).await,
                written => written,
            },
            None => Self::write(ctx, told, None).await,
        };
        match (outcome, written) {
            (Ok(report), Ok(comment)) => Ok(RunReport { comment, ..report }),
            // Cancelled between the results and the comment: the results are there.
            (Ok(report), Err(Ending::Failed(_) | Ending::HostLost(_) | Ending::Cancelled)) => Ok(report),
            (_, Err(stuck @ Ending::Stuck(_))) => Err(stuck),
            (failed, _) => failed,
        }
    }

    async fn write(
        ctx: &WorkflowContext<Self>,
        told: CommentRequest,
        host: Option<&Host>,
    ) -> Result<Option<String>, Ending> {
        let options = options::comment(host.map(|host| &host.transfer));
        Ok(ctx.execute_activity(WriteComment::comment, told, options).await?)
    }
}
