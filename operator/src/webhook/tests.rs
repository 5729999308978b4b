//! Whole reconciles against an API server and a Fast.io in memory.

mod by_hand;
mod children;
mod deletion;
mod delivery;
mod failures;
mod feed;
mod forbidden;

use axum::http::StatusCode;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeApi, FakeFastio, FakeTemporal, context};
use crate::runtime::driver::Next;

const UID: &str = "5f0c2f0e-0000-4000-8000-000000000001";
const TEMPORAL: &str = "--temporal-address=temporal-frontend.temporal:7233";

struct World {
    api: Arc<FakeApi>,
    fastio: FakeFastio,
    temporal: FakeTemporal,
    controller: Webhooks,
}

impl World {
    /// A webhook that is pushed.
    async fn new() -> Self {
        Self::with(&json!({})).await
    }

    /// A webhook with some fields of the spec changed.
    async fn with(spec: &Value) -> Self {
        let (api, fastio, temporal) =
            (FakeApi::new(), FakeFastio::start().await, FakeTemporal::start().await);
        let controller = Webhooks::new(context(&api, &[&temporal.flag, &fastio.flag]));
        let world = Self { api, fastio, temporal, controller };
        world.api.put(&webhook());
        world.api.set::<FastioWebhook>("media", "studio", &json!({"spec": spec}));
        world.key("good-key");
        world
    }

    /// Somebody changes the spec.
    fn change(&self, spec: &Value) {
        let generation = self.get().metadata.generation.unwrap() + 1;
        let change = json!({"metadata": {"generation": generation}, "spec": spec});
        self.api.set::<FastioWebhook>("media", "studio", &change);
    }

    /// The operator starts anew: what it had in memory is gone.
    fn restart(&mut self) {
        self.controller = Webhooks::new(self.context());
    }

    fn context(&self) -> Context {
        context(&self.api, &[&self.temporal.flag, &self.fastio.flag])
    }

    fn key(&self, value: &str) {
        self.secret("fastio-api", "apiKey", value);
    }

    fn secret(&self, name: &str, key: &str, value: &str) {
        let data = json!({key: k8s_openapi::ByteString(value.into())});
        let secret = json!({"metadata": {"namespace": "media", "name": name}, "data": data});
        self.api.put::<Secret>(&serde_json::from_value(secret).unwrap());
    }

    fn get(&self) -> FastioWebhook {
        self.api.get("media", "studio").unwrap()
    }

    async fn reconcile(&self) -> Next {
        self.controller.reconcile(Arc::new(self.get())).await.unwrap()
    }

    fn pods_are_ready(&self) {
        for name in ["studio-receiver", "studio-intake"] {
            let Some(deployment) = self.api.get::<Deployment>("media", name) else { continue };
            let generation = deployment.metadata.generation;
            let status = json!({"status": {"observedGeneration": generation, "availableReplicas": 2, "readyReplicas": 2,
                "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}});
            self.api.set::<Deployment>("media", name, &status);
        }
    }

    /// Reconciles until the webhook is registered and ready.
    async fn ready(&self) {
        self.reconcile().await;
        self.pods_are_ready();
        self.reconcile().await;
        assert_eq!(self.condition("Ready"), ("True".to_owned(), "Running".to_owned()));
    }

    fn condition(&self, type_: &str) -> (String, String) {
        let status = self.get().status.unwrap_or_default();
        let found = status.conditions.into_iter().find(|condition| condition.type_ == type_);
        found.map(|condition| (condition.status, condition.reason)).unwrap_or_default()
    }

    fn message(&self) -> String {
        let conditions = self.get().status.unwrap_or_default().conditions;
        crate::status::ready(&conditions).unwrap().message.clone()
    }

    fn stalled(&self) -> String {
        self.condition("Stalled").1
    }

    fn delete(&self) {
        let deleted = json!({"metadata": {"deletionTimestamp": "2026-10-01T10:00:00Z"}});
        self.api.set::<FastioWebhook>("media", "studio", &deleted);
    }

    /// The pods of the intake have ended.
    fn intake_has_ended(&self) {
        let intake: Deployment = self.api.get("media", "studio-intake").unwrap();
        assert!(intake.metadata.deletion_timestamp.is_some(), "nobody asked it to");
        self.api.remove::<Deployment>("media", "studio-intake");
    }

    /// Reconciles a deleted webhook until it is let go.
    async fn let_go(&self) {
        if self.reconcile().await != Next::OnChange {
            self.intake_has_ended();
            assert_eq!(self.reconcile().await, Next::OnChange);
        }
        assert!(self.api.get::<FastioWebhook>("media", "studio").is_none());
    }
}

fn webhook() -> FastioWebhook {
    serde_json::from_value(json!({
        "apiVersion": "pipelines.fast.io/v1alpha1",
        "kind": "FastioWebhook",
        "metadata": {"namespace": "media", "name": "studio", "uid": UID, "generation": 1, "resourceVersion": "1"},
        "spec": {
            "workspaceId": "123",
            "apiKeySecretRef": {"name": "fastio-api"},
            "delivery": "Push",
            "endpoint": {"url": "https://hooks.studio.example"},
        },
    }))
    .unwrap()
}

fn ids(webhooks: &[Value]) -> Vec<&str> {
    webhooks.iter().map(|webhook| webhook["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_webhook_is_registered_once_when_a_receiver_can_take_events() {
    let world = World::new().await;
    world.reconcile().await;
    assert_eq!(world.condition("Ready"), ("False".to_owned(), "RollingOut".to_owned()));
    assert_eq!(world.condition("Reconciling").0, "True");
    assert!(world.fastio.webhooks().is_empty());

    world.pods_are_ready();
    assert_eq!(world.reconcile().await, Next::After(RESYNC));
    let registered = world.fastio.webhooks();
    assert_eq!(registered[0]["url"], format!("https://hooks.studio.example/v1/hooks/{UID}"));
    assert_eq!(registered[0]["events"], json!(["upload", "modify"]));
    let secret: Secret = world.api.get("media", "studio-signing-secret").unwrap();
    assert_eq!(secret.data.unwrap()["current"].0, world.fastio.secret("w1").into_bytes());
    let status = world.get().status.unwrap();
    assert_eq!(status.webhook_id.as_deref(), Some("w1"));
    assert_eq!(status.receivers.as_deref(), Some("2/2"));
    assert_eq!(status.observed_generation, Some(1));
    assert!(status.conditions.iter().all(|condition| condition.type_ == "Ready"));
}

#[tokio::test]
async fn what_is_well_is_left_alone() {
    let world = World::new().await;
    world.ready().await;
    world.fastio.calls();
    world.api.writes();
    let before = world.get();
    world.reconcile().await;
    assert_eq!(world.get().metadata.resource_version, before.metadata.resource_version);
    assert!(world.fastio.calls().is_empty(), "a look at Fast.io counts for a minute");
    assert!(world.api.writes().iter().all(|write| !write.contains("fastiowebhooks")));
}

#[tokio::test]
async fn a_created_webhook_whose_answer_was_lost_is_adopted() {
    let mut world = World::new().await;
    world.reconcile().await;
    world.pods_are_ready();
    world.fastio.lose_next_answer();
    assert!(matches!(world.reconcile().await, Next::Backoff { .. }));
    assert_eq!(world.get().status.unwrap().webhook_id, None);
    world.restart();
    world.reconcile().await;
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
    assert_eq!(world.get().status.unwrap().webhook_id.as_deref(), Some("w1"));
}

#[tokio::test]
async fn of_two_operators_one_registers() {
    let world = World::new().await;
    world.reconcile().await;
    world.pods_are_ready();
    let other = Webhooks::new(world.context());
    // Both have read the same state.
    let webhook = Arc::new(world.get());
    let (first, second) = tokio::join!(
        Box::pin(world.controller.reconcile(Arc::clone(&webhook))),
        Box::pin(other.reconcile(webhook)),
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(world.fastio.webhooks().len(), 1);
    world.reconcile().await;
    assert_eq!(world.fastio.webhooks().len(), 1);
    assert_eq!(world.condition("Ready").0, "True");
}

#[tokio::test]
async fn drift_and_duplicates_are_corrected_and_others_left() {
    let mut world = World::new().await;
    let foreign = world.fastio.add("https://hooks.studio.example/v1/hooks/another");
    world.ready().await;
    world.fastio.change("w2", "enabled", json!(false));
    world.fastio.change("w2", "url", json!(format!("https://old.example/v1/hooks/{UID}")));
    world.fastio.add(&format!("https://hooks.studio.example/v1/hooks/{UID}"));
    world.restart();
    world.reconcile().await;
    let webhooks = world.fastio.webhooks();
    assert_eq!(ids(&webhooks), [foreign.as_str(), "w2"]);
    assert_eq!(webhooks[1]["enabled"], true);
    assert_eq!(webhooks[1]["url"], format!("https://hooks.studio.example/v1/hooks/{UID}"));
}

#[tokio::test]
async fn a_missing_or_rejected_key_stalls_and_recovers_without_restart() {
    let world = World::new().await;
    world.api.remove::<Secret>("media", "fastio-api");
    assert_eq!(world.reconcile().await, Next::After(Duration::from_secs(5)));
    assert_eq!(world.stalled(), "SecretNotFound");
    assert!(
        world
            .message()
            .contains("Secret fastio-api (spec.apiKeySecretRef) does not exist in namespace media")
    );
    assert!(world.api.get::<Deployment>("media", "studio-receiver").is_some(), "receivers need no key");

    world.key("bad-key");
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::ApiKeyRejected.as_str());
    assert!(world.message().contains("Secret fastio-api"), "{}", world.message());
    world.fastio.calls();
    world.reconcile().await;
    assert!(world.fastio.calls().is_empty(), "the same bad key is not tried again at once");

    world.key("with space");
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::SecretInvalid.as_str());
    assert!(!world.message().contains("with space"));

    world.key("good-key");
    world.ready().await;
}

#[tokio::test]
async fn what_fastio_refuses_is_told_and_a_short_outage_is_no_news() {
    let mut world = World::new().await;
    world.fastio.without_webhooks();
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::WebhooksUnsupported.as_str());

    world = World::new().await;
    world.fastio.break_down(Some(StatusCode::PAYMENT_REQUIRED));
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::AccessDenied.as_str());

    world = World::new().await;
    world.fastio.break_down(Some(StatusCode::BAD_GATEWAY));
    assert!(matches!(world.reconcile().await, Next::Backoff { .. }));
    assert_eq!(world.condition("Ready"), ("Unknown".to_owned(), "Retrying".to_owned()));
    assert_eq!(world.condition("Reconciling").0, "True");
}

#[tokio::test]
async fn deleted_children_come_back_and_foreign_ones_are_not_taken() {
    let world = World::new().await;
    world.ready().await;
    let before: Secret = world.api.get("media", "studio-plan-key").unwrap();
    world.api.remove::<Secret>("media", "studio-plan-key");
    world.api.remove::<Service>("media", "studio-receiver");
    world.reconcile().await;
    let after: Secret = world.api.get("media", "studio-plan-key").unwrap();
    assert_eq!(before.data, after.data, "a repaired key is the same key");
    assert!(world.api.get::<Service>("media", "studio-receiver").is_some());

    world.api.set::<Service>("media", "studio-receiver", &json!({"metadata": {"ownerReferences": []}}));
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::NameTaken.as_str());
}
