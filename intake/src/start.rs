//! Starting runs: sealed, under their own ids, on their pipelines' own queues.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastio_pipeline::names::{FILE_PIPELINE_WORKFLOW, Installation, TaskQueue};
use fastio_pipeline::run::RunRequest;
use fastio_pipeline::seal::{PlanKey, SealedRun, ShortKey};
use fastio_temporal::start::{Start, StartError, Started, start};
use futures::future::BoxFuture;
use temporalio_client::Client;

/// Longest time for one start.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// A run that is ready to start.
#[derive(Debug, Clone)]
pub struct SealedStart {
    /// Its workflow id.
    pub workflow_id: String,
    /// Its pipeline's queue.
    pub task_queue: TaskQueue,
    /// Its input.
    pub input: SealedRun,
    /// One line for Temporal's UI.
    pub summary: String,
}

/// Starts runs.
pub trait StartRuns: Send + Sync + 'static {
    /// Starts a run once.
    fn start(&self, run: SealedStart) -> BoxFuture<'_, Result<Started, StartError>>;
}

impl StartRuns for Client {
    fn start(&self, run: SealedStart) -> BoxFuture<'_, Result<Started, StartError>> {
        Box::pin(async move {
            let input =
                serde_json::to_vec(&run.input).map_err(|error| StartError::Refused(error.to_string()))?;
            let run = Start {
                workflow_type: FILE_PIPELINE_WORKFLOW,
                workflow_id: &run.workflow_id,
                task_queue: run.task_queue.as_str(),
                input,
                timeout: START_TIMEOUT,
                summary: Some(run.summary),
                execution_timeout: None,
            };
            start(self, run).await
        })
    }
}

/// Why runs cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealProblem {
    /// The plan key's file.
    #[error("the plan key {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The plan key itself.
    #[error(transparent)]
    Key(#[from] ShortKey),
    /// The request.
    #[error("the run request cannot be written: {0}")]
    Request(#[from] serde_json::Error),
}

/// Seals a request with the plan key as it is now: a Secret that was replaced counts with no restart.
pub async fn seal(
    installation: &Installation,
    plan_key: &Path,
    request: &RunRequest,
) -> Result<SealedStart, SealProblem> {
    let key = tokio::fs::read(plan_key).await;
    let key = key.map_err(|source| SealProblem::File { path: plan_key.to_owned(), source })?;
    Ok(SealedStart {
        workflow_id: request.workflow_id.to_string(),
        task_queue: TaskQueue::pipeline(installation, &request.plan.pipeline),
        input: PlanKey::new(key.trim_ascii_end())?.seal(request)?,
        summary: format!("{} in {}", request.source.name, request.source.folder),
    })
}
