//! Whole reconciles against an API server in memory. Temporal is not there, which must change nothing but numbers.

use fastio_crds::conditions::Reason;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::{self, store::Writer};
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;
use crate::connection::Access;
use crate::fakes::{FakeApi, context};

struct World {
    api: Arc<FakeApi>,
    webhooks: Writer<DeserializeGuard<FastioWebhook>>,
    controller: Pipelines,
}

impl World {
    fn new() -> Self {
        let api = FakeApi::new();
        let (store, mut webhooks) = reflector::store();
        webhooks.apply_watcher_event(&Event::Init);
        webhooks.apply_watcher_event(&Event::InitDone);
        let context = context(&api, &["--temporal-address=127.0.0.1:9", "--temporal-namespace=media"]);
        let world = Self { api, webhooks, controller: Pipelines::new(context, store) };
        world.api.put(&pipeline());
        world
    }

    fn webhook(&mut self, ready: &str, reason: &str) {
        let webhook = serde_json::from_value(webhook(ready, reason)).unwrap();
        self.webhooks.apply_watcher_event(&Event::Apply(webhook));
    }

    fn get(&self) -> FilePipeline {
        self.api.get("media", "photos").unwrap()
    }

    async fn reconcile(&self) -> Next {
        self.controller.reconcile(Arc::new(self.get())).await.unwrap()
    }

    fn worker(&self) -> Option<Deployment> {
        self.api.get("media", "photos-worker")
    }

    fn pods_are_ready(&self) {
        let generation = self.worker().unwrap().metadata.generation;
        let status = json!({"status": {"observedGeneration": generation, "availableReplicas": 1, "readyReplicas": 1,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}});
        self.api.set::<Deployment>("media", "photos-worker", &status);
    }

    fn condition(&self, type_: &str) -> (String, String) {
        let status = self.get().status.unwrap_or_default();
        let found = status.conditions.into_iter().find(|condition| condition.type_ == type_);
        found.map(|condition| (condition.status, condition.reason)).unwrap_or_default()
    }

    fn deleted(&self, seconds_ago: i64) {
        let time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago);
        let deleted = json!({"metadata": {"deletionTimestamp": time.to_string()}});
        self.api.set::<FilePipeline>("media", "photos", &deleted);
    }

    async fn deletion_is_patient(&self) {
        self.deleted(0);
        assert_eq!(self.reconcile().await, Next::After(Duration::from_secs(2)));
        assert_eq!(self.reason(), Reason::Deleting.as_str());
        self.deleted(31);
        self.reconcile().await;
        assert!(self.api.get::<FilePipeline>("media", "photos").is_none());
    }

    fn reason(&self) -> String {
        self.condition("Ready").1
    }
}

fn pipeline() -> FilePipeline {
    serde_json::from_value(json!({
        "apiVersion": "pipelines.fast.io/v1alpha1",
        "kind": "FilePipeline",
        "metadata": {"namespace": "media", "name": "photos", "uid": "pipeline-uid", "generation": 1,
            "resourceVersion": "1"},
        "spec": {
            "webhookRef": {"name": "studio"},
            "match": {"names": ["*.jpg"]},
            "steps": [{"name": "web", "image": {"resize": {"width": 1600}}}],
            "output": {"folder": "/processed/{stem}"},
        },
    }))
    .unwrap()
}

fn webhook(ready: &str, reason: &str) -> Value {
    json!({
        "apiVersion": "pipelines.fast.io/v1alpha1",
        "kind": "FastioWebhook",
        "metadata": {"namespace": "media", "name": "studio", "uid": "webhook-uid", "generation": 1},
        "spec": {
            "workspaceId": "123",
            "apiKeySecretRef": {"name": "fastio-api"},
            "endpoint": {"url": "https://hooks.studio.example"},
        },
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": ready, "reason": reason,
            "message": "because", "lastTransitionTime": "2026-10-01T10:00:00Z", "observedGeneration": 1}]},
    })
}

#[tokio::test]
async fn manifests_may_come_in_any_order() {
    let mut world = World::new();
    world.reconcile().await;
    assert_eq!(world.condition("Ready"), ("False".to_owned(), "WebhookNotFound".to_owned()));
    assert_eq!(world.condition("Reconciling").0, "True");
    assert!(world.worker().is_none());

    world.webhook("False", "RollingOut");
    world.reconcile().await;
    assert_eq!(world.reason(), Reason::WebhookNotReady.as_str());
    assert!(world.worker().is_some(), "workers start while the webhook is on its way");

    world.webhook("True", "Running");
    world.reconcile().await;
    assert_eq!(world.reason(), Reason::RollingOut.as_str());

    world.pods_are_ready();
    assert_eq!(world.reconcile().await, Next::After(RESYNC));
    assert_eq!(world.condition("Ready"), ("True".to_owned(), "Running".to_owned()));
    let status = world.get().status.unwrap();
    assert_eq!(status.workers.as_deref(), Some("1/1"));
    assert_eq!(status.task_queue.as_deref(), Some("fastio:pipeline:media/photos"));
    assert_eq!(status.running, None, "a Temporal that is away is no obstacle");
}

#[tokio::test]
async fn a_new_template_is_not_ready_before_it_is_rolled_out() {
    let mut world = World::new();
    world.webhook("True", "Running");
    world.reconcile().await;
    world.pods_are_ready();
    world.reconcile().await;
    let more = json!({"metadata": {"generation": 2}, "spec": {"workers": {"slots": 8}}});
    world.api.set::<FilePipeline>("media", "photos", &more);
    world.reconcile().await;
    assert_eq!(world.condition("Ready"), ("False".to_owned(), "RollingOut".to_owned()));
    world.pods_are_ready();
    world.reconcile().await;
    assert_eq!(world.reason(), Reason::Running.as_str());
}

#[tokio::test]
async fn a_mistake_is_told_and_what_runs_goes_on() {
    let mut world = World::new();
    world.webhook("True", "Running");
    world.reconcile().await;
    world.api.set::<FilePipeline>("media", "photos", &json!({"spec": {"output": {"folder": "/x/{stam}"}}}));
    world.reconcile().await;
    assert_eq!(world.condition("Stalled").1, Reason::InvalidSpec.as_str());
    let conditions = world.get().status.unwrap().conditions;
    assert!(conditions[0].message.starts_with("spec.output.folder: "), "{}", conditions[0].message);
    assert!(world.worker().is_some());
}

#[tokio::test]
async fn an_event_that_never_comes_is_told() {
    let mut world = World::new();
    world.webhook("True", "Running");
    world.api.set::<FilePipeline>(
        "media",
        "photos",
        &json!({"spec": {"match": {"events": ["upload", "move"]}}}),
    );
    world.reconcile().await;
    assert_eq!(world.condition("Stalled").1, Reason::InvalidSpec.as_str());
    let message = &world.get().status.unwrap().conditions[0].message;
    assert!(message.contains("move is not subscribed to by FastioWebhook studio"), "{message}");
}

#[tokio::test]
async fn deletion_waits_for_temporal_for_a_bounded_time() {
    let mut world = World::new();
    world.webhook("True", "Running");
    world.reconcile().await;
    world.deletion_is_patient().await;
}

#[tokio::test]
async fn deletion_waits_for_the_secrets_of_temporal_for_a_bounded_time() {
    let mut world = World::new();
    let mut webhook = webhook("True", "Running");
    webhook["spec"]["temporal"] = json!({"address": "127.0.0.1:9", "namespace": "media", "tls": {"caSecretRef": {"name": "temporal-ca"}}});
    world.webhooks.apply_watcher_event(&Event::Apply(serde_json::from_value(webhook).unwrap()));
    world.api.break_down::<Secret>();
    world.reconcile().await;
    world.deletion_is_patient().await;
}

#[tokio::test]
async fn deletion_without_a_webhook_lets_go_at_once() {
    let world = World::new();
    world.reconcile().await;
    world.deleted(0);
    world.reconcile().await;
    assert!(world.api.get::<FilePipeline>("media", "photos").is_none());
}

#[tokio::test]
async fn children_are_as_reviewed() {
    let api = FakeApi::new();
    let tls = ["--temporal-address=temporal:7233", "--temporal-tls-ca-secret=temporal-ca"];
    let context = context(&api, &tls);
    let secret = |text: &str| Some(secrecy::SecretSlice::from(text.as_bytes().to_vec()));
    let connection = context.settings.temporal.clone().unwrap();
    let access = Access { connection, ca: secret("CA"), client_cert: None, api_key: None };
    let webhook = serde_json::from_value(webhook("True", "Running")).unwrap();
    let found = observe::Found { webhook: Arc::new(webhook), temporal: Ok(access) };
    let observed = observe::Observed { webhook: Some(found) };
    let valid = validate::validate(&pipeline(), &context.settings.installation, observed).unwrap();
    let build::Children { worker_account, worker } = build::build(&valid, &context);
    insta::assert_snapshot!(serde_saphyr::to_string(&json!([worker_account, worker])).unwrap());
}

#[test]
fn numbers_stay_when_they_are_not_known() {
    let (verdict, now) = (crate::status::Verdict::Ready("ok".to_owned()), jiff::Timestamp::UNIX_EPOCH);
    let mut pipeline = pipeline();
    let counts = |running, seconds: u64| {
        let newest = std::time::UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 400);
        Some(crate::temporal::Counts { running, failed: 1, newest: Some(newest) })
    };
    let progress = Progress { counts: counts(3, 1_790_000_000), ..Progress::default() };
    let first = status::compute(&pipeline, progress, &verdict, now);
    assert_eq!((first.running, first.failed), (Some(3), Some(1)));
    assert_eq!(first.last_event_time.as_deref(), Some("2026-09-21T14:13:20Z"));
    pipeline.status = Some(first.clone());
    assert_eq!(status::compute(&pipeline, Progress::default(), &verdict, now), first);
    // Temporal has forgotten the newest.
    let progress = Progress { counts: counts(0, 1_780_000_000), ..Progress::default() };
    let second = status::compute(&pipeline, progress, &verdict, now);
    assert_eq!((second.running, second.last_event_time), (Some(0), first.last_event_time));
}
