use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use fastio::NodeId;
use fastio_pipeline::event::EventKind;
use fastio_pipeline::matching::Filtered;
use fastio_pipeline::seal::PlanKey;
use futures::future::BoxFuture;

use super::*;
use crate::decide::{Candidate, tests::candidate};
use crate::simulated::Fastio;
use crate::start::SealedStart;

const KEY: &[u8] = b"a plan key of thirty-two bytes!!";

#[derive(Default)]
struct Pipelines {
    candidates: Mutex<Vec<Candidate>>,
    stale: AtomicBool,
}

impl PipelineView for Pipelines {
    fn current(&self) -> Result<Vec<Candidate>, StaleView> {
        if self.stale.load(Ordering::Relaxed) {
            return Err(StaleView);
        }
        Ok(self.candidates.lock().unwrap().clone())
    }
}

/// Refuses the second start of an id, as Temporal does.
#[derive(Default)]
struct Runs(Mutex<Vec<SealedStart>>);

impl StartRuns for Runs {
    fn start(&self, run: SealedStart) -> BoxFuture<'_, Result<Started, StartError>> {
        let mut runs = self.0.lock().unwrap();
        let known = runs.iter().any(|other| other.workflow_id == run.workflow_id);
        runs.push(run);
        let started = if known { Started::Duplicate { run_id: None } } else { Started::New { run_id: None } };
        Box::pin(std::future::ready(Ok(started)))
    }
}

struct World {
    fastio: Fastio,
    intake: Intake,
    pipelines: Arc<Pipelines>,
    runs: Arc<Runs>,
    keys: tempfile::TempDir,
}

async fn world(candidates: Vec<Candidate>) -> World {
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
    World { fastio, intake, pipelines, runs, keys }
}

impl World {
    fn event(&self, kind: EventKind, file: &str) -> FileEvent {
        FileEvent {
            id: "evt-1".parse().unwrap(),
            kind,
            workspace: self.intake.workspace.clone(),
            file: file.parse().unwrap(),
            file_name: None,
            occurred_at: None,
        }
    }

    async fn decide(&self, kind: EventKind, file: &str) -> Result<Decision, Undecided> {
        self.intake.decide(&self.event(kind, file), Duration::ZERO).await
    }
}

fn answers(decision: Decision) -> Vec<Answer> {
    let Decision::Decided { pipelines, .. } = decision else { panic!("{decision:?}") };
    pipelines.into_iter().map(|verdict| verdict.answer).collect()
}

#[tokio::test]
async fn a_wanted_file_becomes_one_sealed_run() {
    let world = world(vec![candidate("photos", r#"["upload","modify"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    let first = answers(world.decide(EventKind::Upload, file.as_str()).await.unwrap());
    let Answer::Started { workflow } = &first[0] else { panic!("{first:?}") };
    let again = answers(world.decide(EventKind::Modify, file.as_str()).await.unwrap());
    assert_eq!(again[0], Answer::Duplicate { workflow: workflow.clone() });

    let run = world.runs.0.lock().unwrap().remove(0);
    assert_eq!(run.task_queue.as_str(), "fastio:pipeline:media/photos");
    assert_eq!(run.summary, "beach.jpg in /");
    let request = PlanKey::new(KEY).unwrap().open(&run.input, workflow.as_str()).unwrap();
    assert_eq!(request.source.id, file);
    assert_eq!(request.webhook.to_string(), "media/studio");
}

#[tokio::test]
async fn a_result_of_our_own_starts_nothing_and_a_look_alike_does() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let out = world.fastio.folder(&NodeId::root(), "out").await;
    let own = world.fastio.upload(&world.fastio.client, &out, "beach.thumb.webp").await;
    let answer = answers(world.decide(EventKind::Upload, own.as_str()).await.unwrap());
    let because = Filtered::OwnResult { pipeline: "media/photos".to_owned() };
    assert_eq!(answer, [Answer::Filtered { because }]);

    let somebody = world.fastio.somebody_else().await;
    let foreign = world.fastio.upload(&somebody, &out, "dune.thumb.webp").await;
    let answer = answers(world.decide(EventKind::Upload, foreign.as_str()).await.unwrap());
    assert!(matches!(answer[0], Answer::Started { .. }), "{answer:?}");
}

#[tokio::test]
async fn an_unknown_file_is_gone_only_after_the_grace_period() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let event = world.event(EventKind::Upload, "2zzzzzzzzzzzzzzzzzzzzzzzzzzz7");
    let early = world.intake.decide(&event, GRACE.saturating_sub(Duration::from_millis(1))).await;
    let early = early.unwrap_err();
    assert_eq!((early.type_name(), early.class()), ("FileNotThereYet", Class::Retry { after: None }));
    assert_eq!(world.intake.decide(&event, GRACE).await.unwrap(), Decision::Gone);
}

#[tokio::test]
async fn nothing_is_decided_by_a_stale_view_or_for_another_workspace() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    world.pipelines.stale.store(true, Ordering::Relaxed);
    let stale = world.decide(EventKind::Upload, file.as_str()).await.unwrap_err();
    assert!(matches!(stale, Undecided::Stale(_)) && matches!(stale.class(), Class::Retry { .. }));

    let elsewhere =
        FileEvent { workspace: "9".parse().unwrap(), ..world.event(EventKind::Upload, file.as_str()) };
    let decision = world.intake.decide(&elsewhere, Duration::ZERO).await.unwrap();
    assert_eq!(decision, Decision::OtherWorkspace);
    assert!(world.runs.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_plan_key_waits_for_somebody() {
    let world = world(vec![candidate("photos", r#"["upload"]"#, "/out")]).await;
    let file = world.fastio.upload(&world.fastio.client, &NodeId::root(), "beach.jpg").await;
    std::fs::remove_file(world.keys.path().join("key")).unwrap();
    let missing = world.decide(EventKind::Upload, file.as_str()).await.unwrap_err();
    assert_eq!((missing.type_name(), missing.class()), ("PlanKeyUnusable", Class::Attention));
    std::fs::write(world.keys.path().join("key"), KEY).unwrap();
    assert!(world.decide(EventKind::Upload, file.as_str()).await.is_ok());
}
