//! From an upload to the workflow of a run, through a real Temporal: simulated Fast.io → receiver → `FileEvent` → run.
//!
//! Only the cluster is left out: the pipelines come from a view of this test. Needs a Temporal server, so it runs only
//! when asked for: `TEMPORAL_ADDRESS=127.0.0.1:7233 cargo test -p fastio-intake --test delivery -- --ignored`.

// Clippy knows functions with `#[test]` as tests, and not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastio::signature::{Scheme, SigningSecret};
use fastio::{ApiKeySource, Client, NewWebhook, NodeId, WebhookEvent, Webhooks, WorkspaceId};
use fastio_intake::activity::DecideEvent;
use fastio_intake::decide::Candidate;
use fastio_intake::intake::Intake;
use fastio_intake::resolve::Resolver;
use fastio_intake::view::{PipelineView, StaleView};
use fastio_intake::workflow::FileEvent;
use fastio_pipeline::decision::{Answer, Decision};
use fastio_pipeline::event::EventKind;
use fastio_pipeline::names::{Installation, ObjectKey, TaskQueue};
use fastio_receiver::body::BodyLimits;
use fastio_receiver::deliver::{BUDGET, Delivery, TemporalStarter};
use fastio_receiver::request::Endpoint;
use fastio_receiver::secret::Secrets;
use fastio_receiver::server::{Limits, listen, serve};
use fastio_service::Health;
use fastio_simulator::{Settings, Simulator, WebhookDialect};
use fastio_temporal::{ConnectionArgs, connect, worker};
use futures::StreamExt;
use prometheus_client::registry::Registry;
use temporalio_client::{
    Client as Temporal, WorkflowDescribeOptions, WorkflowGetResultOptions, WorkflowListOptions,
};
use temporalio_common::UntypedWorkflow;
use temporalio_sdk::runtime::{Runtime, RuntimeOptions};
use temporalio_sdk::{Worker, WorkerOptions};
use tokio_util::sync::CancellationToken;

const WORKSPACE: &str = "1234567890123456789";
const API_KEY: &str = "the-key-of-the-operator";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PATH: &str = "/v1/hooks/0b9f";

struct OnePipeline(Candidate);

impl PipelineView for OnePipeline {
    fn current(&self) -> Result<Vec<Candidate>, StaleView> {
        Ok(vec![self.0.clone()])
    }
}

fn photos() -> Candidate {
    let plan = r#"{"pipeline":"media/photos","generation":1,"match":{"events":["upload"],"names":["*.jpg"]},
        "steps":[{"name":"thumb","action":{"imageResize":{"width":320,"fit":"inside","format":"webp","quality":80}}}],
        "output":"/out"}"#;
    Candidate { pipeline: "media/photos".parse().unwrap(), plan: Ok(serde_json::from_str(plan).unwrap()) }
}

/// A receiver on a free port.
fn receive(installation: &Installation, temporal: &Temporal, stop: &CancellationToken) -> u16 {
    let secrets = tempfile::tempdir().unwrap();
    std::fs::write(secrets.path().join("current"), SECRET).unwrap();
    let metrics = fastio_receiver::metrics::Metrics::register(&mut Registry::default());
    let starter = TemporalStarter {
        installation: installation.clone(),
        webhook: webhook(),
        client: Arc::new(OnceLock::from(temporal.clone())),
    };
    let loaded = Health::new().condition("signing secret loaded");
    let endpoint = Endpoint {
        path: PATH.to_owned(),
        events: [EventKind::Upload].into(),
        body: BodyLimits::new(256 * 1024, Duration::from_secs(10), 16 * 1024 * 1024),
        secrets: Secrets::open(secrets.path().to_owned(), Scheme::GuideHex, loaded),
        delivery: Delivery::new(starter, BUDGET, metrics.clone()),
        metrics,
    };
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, Arc::new(endpoint), Limits::default(), stop.clone()));
    port
}

fn webhook() -> ObjectKey {
    "media/studio".parse().unwrap()
}

/// Uploads a photo and a text, and gives the decisions about them.
async fn upload_and_watch(
    fastio: &Client,
    workspace: &WorkspaceId,
    temporal: &Temporal,
    queue: &TaskQueue,
) -> Vec<Decision> {
    worker::seen_polling(temporal, &[queue.as_str()]).await;
    let begun = Instant::now();
    for name in ["beach.jpg", "notes.txt"] {
        let content = Bytes::from_static(b"content");
        fastio.upload_small(workspace, &NodeId::root(), name, content).await.unwrap();
    }
    let query = format!("TaskQueue = '{queue}' AND WorkflowType = 'FileEvent'");
    let events = loop {
        let mut found = temporal.list_workflows(&query, WorkflowListOptions::default());
        let mut ids = Vec::new();
        while let Some(event) = found.next().await {
            ids.push(event.unwrap().id().to_owned());
        }
        if ids.len() == 2 {
            break ids;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "only {ids:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut decisions = Vec::new();
    for id in events {
        let event = temporal.get_workflow_handle::<FileEvent>(id);
        decisions.push(event.get_result(WorkflowGetResultOptions::default()).await.unwrap());
    }
    decisions
}

#[tokio::test]
#[ignore = "needs a Temporal server at TEMPORAL_ADDRESS"]
async fn an_upload_becomes_a_run() {
    let address = std::env::var("TEMPORAL_ADDRESS").expect("TEMPORAL_ADDRESS must name a Temporal server");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let installation: Installation = format!("test-{}", std::process::id()).parse().unwrap();
    let temporal = connect(&ConnectionArgs::plain(&address, "default"), "delivery test").await.unwrap();
    let stop = CancellationToken::new();
    let data = tempfile::tempdir().unwrap();

    let mut settings = Settings::new(data.path().join("fastio"));
    settings.workspaces = vec![format!("studio={WORKSPACE}").parse().unwrap()];
    settings.api_keys = vec![API_KEY.to_owned()];
    settings.webhooks = Some(WebhookDialect::Guide);
    let simulator =
        Simulator::start(settings, tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let key = ApiKeySource::Static(API_KEY.parse().unwrap());
    let fastio = Client::new(simulator.api_base().parse().unwrap(), key).unwrap();
    let workspace: WorkspaceId = WORKSPACE.parse().unwrap();
    let port = receive(&installation, &temporal, &stop);
    let registration = NewWebhook {
        url: format!("http://127.0.0.1:{port}{PATH}").parse().unwrap(),
        events: [WebhookEvent::Upload].into(),
        secret: SigningSecret::new(SECRET).unwrap(),
    };
    let registered = fastio.create_webhook(&workspace, &registration).await.unwrap();
    assert!(matches!(registered, Webhooks::Supported(_)));

    let plan_key = data.path().join("key");
    std::fs::write(&plan_key, [b'k'; 64]).unwrap();
    let queue = TaskQueue::intake(&installation, &webhook());
    let intake = Intake {
        installation: installation.clone(),
        webhook: webhook(),
        workspace: WORKSPACE.parse().unwrap(),
        files: Resolver::new(fastio.clone(), workspace.clone()),
        pipelines: Arc::new(OnePipeline(photos())),
        plan_key,
        runs: Arc::new(temporal.clone()),
    };
    let metrics = fastio_intake::metrics::Metrics::register(&mut Registry::default());
    let options = WorkerOptions::new(queue.as_str())
        .register_workflow::<FileEvent>()
        .unwrap()
        .register_activities(DecideEvent { intake, metrics })
        .build();
    let runtime = Runtime::from_current_tokio(RuntimeOptions::default()).unwrap();
    let intake = Worker::new(&runtime, temporal.clone(), options).unwrap();

    let (ended, decisions) = tokio::join!(worker::run(intake, stop.clone()), async {
        let decisions = upload_and_watch(&fastio, &workspace, &temporal, &queue).await;
        stop.cancel();
        decisions
    });
    ended.unwrap();
    let mut answers = Vec::new();
    for decision in decisions {
        let Decision::Decided { pipelines, .. } = decision else { panic!("{decision:?}") };
        answers.extend(pipelines.into_iter().map(|verdict| verdict.answer));
    }
    let started = answers.iter().find_map(|answer| match answer {
        Answer::Started { workflow } => Some(workflow.as_str().to_owned()),
        _ => None,
    });
    let run = temporal.get_workflow_handle::<UntypedWorkflow>(started.expect("a run was started"));
    let run = run.describe(WorkflowDescribeOptions::default()).await.unwrap();
    assert_eq!(run.static_summary(), Some("beach.jpg in /"));
    assert!(answers.iter().any(|answer| matches!(answer, Answer::Filtered { .. })), "{answers:?}");
}
