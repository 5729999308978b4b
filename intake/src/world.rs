//! An intake with everything around it, for the tests of this crate: a simulated Fast.io, pipelines as they are set, and runs
//! that are only noted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastio_pipeline::decision::Decision;
use fastio_pipeline::event::{EventKind, FileEvent};
use fastio_pipeline::run::RunRequest;
use fastio_pipeline::seal::PlanKey;
use fastio_temporal::start::{StartError, Started};
use futures::future::BoxFuture;

use crate::decide::Candidate;
use crate::intake::{Intake, Undecided};
use crate::occasion::Occasion;
use crate::simulated::Fastio;
use crate::start::{SealedStart, StartRuns};
use crate::view::{PipelineView, StaleView};

pub(crate) const KEY: &[u8] = b"a plan key of thirty-two bytes!!";

#[derive(Default)]
pub(crate) struct Pipelines {
    pub(crate) candidates: Mutex<Vec<Candidate>>,
    pub(crate) stale: AtomicBool,
}

impl PipelineView for Pipelines {
    fn current(&self) -> Result<Vec<Candidate>, StaleView> {
        if self.stale.load(Ordering::Relaxed) {
            return Err(StaleView);
        }
        Ok(self.candidates.lock().unwrap().clone())
    }
}

/// Refuses the second start of an id, as Temporal does, and every one while Temporal is away.
#[derive(Default)]
pub(crate) struct Runs(pub(crate) Mutex<Vec<SealedStart>>, pub(crate) AtomicBool);

impl StartRuns for Runs {
    fn start(&self, run: SealedStart) -> BoxFuture<'_, Result<Started, StartError>> {
        if self.1.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(StartError::Unavailable("away".to_owned()))));
        }
        let mut runs = self.0.lock().unwrap();
        let known = runs.iter().any(|other| other.workflow_id == run.workflow_id);
        runs.push(run);
        let started = if known { Started::Duplicate { run_id: None } } else { Started::New { run_id: None } };
        Box::pin(std::future::ready(Ok(started)))
    }
}

pub(crate) struct World {
    pub(crate) fastio: Fastio,
    pub(crate) intake: Arc<Intake>,
    pub(crate) pipelines: Arc<Pipelines>,
    pub(crate) runs: Arc<Runs>,
    pub(crate) keys: tempfile::TempDir,
}

pub(crate) async fn world(candidates: Vec<Candidate>) -> World {
    let fastio = Fastio::start().await;
    let keys = tempfile::tempdir().unwrap();
    let plan_key = keys.path().join("key");
    std::fs::write(&plan_key, [KEY, b"\n"].concat()).unwrap();
    let pipelines = Arc::new(Pipelines { candidates: Mutex::new(candidates), stale: false.into() });
    let runs = Arc::new(Runs::default());
    let intake = Intake {
        installation: "fastio".parse().unwrap(),
        webhook: "media/studio".parse().unwrap(),
        workspace: fastio.workspace.as_str().parse().unwrap(),
        files: fastio.resolver(),
        pipelines: pipelines.clone(),
        plan_key,
        runs: runs.clone(),
    };
    World { fastio, intake: Arc::new(intake), pipelines, runs, keys }
}

impl World {
    pub(crate) fn event(&self, kind: EventKind, file: &str) -> FileEvent {
        FileEvent {
            id: "evt-1".parse().unwrap(),
            kind,
            workspace: self.intake.workspace.clone(),
            file: file.parse().unwrap(),
            file_name: None,
            occurred_at: None,
            actor: None,
        }
    }

    pub(crate) async fn decide(&self, kind: EventKind, file: &str) -> Result<Decision, Undecided> {
        self.intake.decide(&Occasion::Push, &self.event(kind, file), Duration::ZERO).await
    }

    /// What was to be started since the last time, as often as it was.
    pub(crate) fn started(&self) -> Vec<RunRequest> {
        let runs = std::mem::take(&mut *self.runs.0.lock().unwrap());
        let key = PlanKey::new(KEY).unwrap();
        runs.iter().map(|run| key.open(&run.input, &run.workflow_id).unwrap()).collect()
    }

    /// The names of the files of those.
    pub(crate) fn started_names(&self) -> Vec<String> {
        self.started().into_iter().map(|run| run.source.name).collect()
    }
}
