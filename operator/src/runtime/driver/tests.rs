//! A controller over a scripted watch.

use std::collections::BTreeMap;
use std::sync::Mutex;

use fastio_crds::FilePipeline;
use futures::channel::mpsc;
use kube::runtime::reflector;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;
use crate::runtime::watch::changes;

type Guarded = DeserializeGuard<FilePipeline>;

/// Counts what is reconciled; objects named `panics`, `hangs` and `fails` do so.
#[derive(Default)]
struct Recorder {
    seen: Mutex<BTreeMap<String, u32>>,
}

impl Recorder {
    fn count(&self, name: &str) -> u32 {
        self.seen.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

impl Reconciler for Recorder {
    type Object = FilePipeline;
    type Error = std::io::Error;
    const NAME: &'static str = "test";

    async fn reconcile(&self, object: Arc<FilePipeline>) -> Result<Next, std::io::Error> {
        let name = object.name_any();
        *self.seen.lock().unwrap().entry(name.clone()).or_default() += 1;
        match name.as_str() {
            "panics" => panic!("as a test"),
            "hangs" => std::future::pending().await,
            "fails" => Err(std::io::Error::other("as a test")),
            _ => Ok(Next::OnChange),
        }
    }

    async fn reject(&self, object: &InvalidObject) -> Result<Next, std::io::Error> {
        let name = object.metadata.name.clone().unwrap_or_default();
        *self.seen.lock().unwrap().entry(format!("rejected {name}")).or_default() += 1;
        Ok(Next::OnChange)
    }
}

struct Running {
    events: mpsc::UnboundedSender<kube::runtime::watcher::Result<Event<Guarded>>>,
    recorder: Arc<Recorder>,
    stop: CancellationToken,
    controller: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start() -> Self {
        let (events, watch) = mpsc::unbounded();
        let (store, writer) = reflector::store();
        let recorder = Arc::new(Recorder::default());
        let metrics = Metrics::register(&mut prometheus_client::registry::Registry::default());
        let stop = CancellationToken::new();
        let controller = Controller::for_stream(changes(watch, writer), store);
        let controller = tokio::spawn(run(controller, Arc::clone(&recorder), metrics, stop.clone()));
        let running = Self { events, recorder, stop, controller };
        running.send(Event::Init);
        running.send(Event::InitDone);
        running
    }

    fn send(&self, event: Event<Guarded>) {
        self.events.unbounded_send(Ok(event)).unwrap();
    }

    fn apply(&self, object: Value) {
        self.send(Event::Apply(serde_json::from_value(object).unwrap()));
    }

    /// Time is paused: this takes none.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn pipeline(name: &str, metadata: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "pipelines.fast.io/v1alpha1", "kind": "FilePipeline",
        "metadata": {"namespace": "media", "name": name, "uid": name, "generation": 1},
        "spec": {"webhookRef": {"name": "studio"}, "steps": [], "output": {"folder": "x"}},
    });
    for (field, value) in metadata.as_object().unwrap() {
        object["metadata"][field] = value.clone();
    }
    object
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_hang_stop_nobody_else() {
    let running = Running::start();
    for name in ["panics", "hangs", "fails", "works"] {
        running.apply(pipeline(name, &json!({})));
    }
    running.settle().await;
    running.apply(pipeline("works", &json!({"generation": 2})));
    running.settle().await;
    assert_eq!(running.recorder.count("works"), 2);
    assert_eq!(running.recorder.count("hangs"), 1);
    // All three are tried again, the hanging one after its time limit.
    tokio::time::sleep(TIME_LIMIT + Duration::from_secs(2)).await;
    assert!(running.recorder.count("panics") >= 3);
    assert!(running.recorder.count("fails") >= 3);
    assert_eq!(running.recorder.count("hangs"), 2);
    assert_eq!(running.recorder.count("works"), 2);

    running.apply(pipeline("late", &json!({})));
    running.settle().await;
    assert_eq!(running.recorder.count("late"), 1);
    running.stop.cancel();
    tokio::time::timeout(TIME_LIMIT * 2, running.controller).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_parsed_stops_nobody_else() {
    let running = Running::start();
    let mut poison = pipeline("poison", &json!({}));
    poison["spec"]["workers"] = json!({"replicas": 5_000_000_000_u64});
    running.apply(poison);
    running.apply(pipeline("works", &json!({})));
    running.settle().await;
    assert_eq!(running.recorder.count("rejected poison"), 1);
    assert_eq!(running.recorder.count("works"), 1);
}

#[tokio::test(start_paused = true)]
async fn spec_finalizers_and_deletion_trigger_and_status_does_not() {
    let running = Running::start();
    let mut expected = 0;
    let mut object = pipeline("works", &json!({}));
    for (change, triggers) in [
        (json!({}), true),
        (json!({"resourceVersion": "2"}), false),
        (json!({"finalizers": ["pipelines.fast.io/cleanup"]}), true),
        (json!({"generation": 2}), true),
        (json!({"labels": {"a": "b"}}), false),
        (json!({"deletionTimestamp": "2026-10-01T10:00:00Z"}), true),
        (json!({"uid": "made-anew"}), true),
    ] {
        for (field, value) in change.as_object().unwrap() {
            object["metadata"][field] = value.clone();
        }
        running.apply(object.clone());
        running.settle().await;
        expected += u32::from(triggers);
        assert_eq!(running.recorder.count("works"), expected, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_error_is_no_error_of_the_controller() {
    let running = Running::start();
    for _ in 0..5 {
        let error = kube::runtime::watcher::Error::NoResourceVersion;
        running.events.unbounded_send(Err(error)).unwrap();
    }
    running.apply(pipeline("works", &json!({})));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(running.recorder.count("works"), 1);
}
