//! Deletion, whatever state the object is in.

use super::*;
use crate::webhook::cleanup::feed::PATIENCE;

impl World {
    fn patience_is_over(&self) {
        let mut ending = self.controller.memory.ending.lock().unwrap();
        let since = ending.get_mut(UID).expect("the end has begun");
        *since = since.checked_sub(PATIENCE).unwrap();
    }
}

/// An object whose spec and status are of no interest.
#[derive(serde::Deserialize)]
struct PartialMetadata {
    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
}

/// An object whose spec is of no interest.
#[derive(serde::Deserialize)]
struct PartialStatus {
    status: fastio_crds::FastioWebhookStatus,
}

#[tokio::test]
async fn deletion_removes_the_webhook_and_lets_go() {
    let world = World::new().await;
    world.ready().await;
    world.delete();
    world.let_go().await;
    assert!(world.fastio.webhooks().is_empty());
}

#[tokio::test]
async fn the_feed_ends_after_the_intake_that_would_start_it_again() {
    for delivery in ["Push", "Pull"] {
        let world = World::with(&json!({"delivery": delivery})).await;
        world.ready().await;
        world.delete();
        for _ in 0..2 {
            assert_eq!(world.reconcile().await, Next::After(Duration::from_secs(2)));
        }
        assert_eq!(world.condition("Ready"), ("False".to_owned(), "Deleting".to_owned()));
        assert_eq!(world.message(), "the pods of Deployment studio-intake are ending");
        assert_eq!(world.temporal.terminations(), [""; 0]);
        world.intake_has_ended();
        assert_eq!(world.reconcile().await, Next::OnChange);
        assert!(world.api.get::<FastioWebhook>("media", "studio").is_none());
        let terminations = world.temporal.terminations();
        assert_eq!(terminations.len(), 1);
        assert!(terminations[0].contains("fastio:feed:media/studio"), "{terminations:?}");
    }
}

#[tokio::test]
async fn a_temporal_that_is_away_holds_the_deletion_for_a_bounded_time() {
    let world = World::with(&json!({"delivery": "Pull"})).await;
    world.ready().await;
    world.temporal.go_away(true);
    world.delete();
    world.reconcile().await;
    world.intake_has_ended();
    assert_eq!(world.reconcile().await, Next::After(Duration::from_secs(2)));
    assert!(world.message().starts_with("the workflow fastio:feed:media/studio cannot be ended: Temporal: "));
    world.patience_is_over();
    assert_eq!(world.reconcile().await, Next::OnChange);
    assert!(world.api.get::<FastioWebhook>("media", "studio").is_none());
}

#[tokio::test]
async fn an_intake_that_does_not_end_holds_the_deletion_for_a_bounded_time() {
    let world = World::new().await;
    world.ready().await;
    world.delete();
    world.reconcile().await;
    world.patience_is_over();
    assert_eq!(world.reconcile().await, Next::OnChange);
    assert!(world.api.get::<FastioWebhook>("media", "studio").is_none());
    assert_eq!(world.temporal.terminations().len(), 1, "the feed ends all the same");
}

#[tokio::test]
async fn where_nobody_can_tell_which_temporal_it_is_the_feed_is_left() {
    let gone =
        json!({"address": "127.0.0.1:9", "namespace": "media", "tls": {"caSecretRef": {"name": "gone"}}});
    for temporal in [gone, json!({"address": 7})] {
        let world = World::new().await;
        world.ready().await;
        world.api.set::<FastioWebhook>("media", "studio", &json!({"spec": {"temporal": temporal}}));
        world.delete();
        let deleted = InvalidObject {
            error: "not of its form".to_owned(),
            metadata: world.api.get_as::<FastioWebhook, PartialMetadata>("media", "studio").unwrap().metadata,
        };
        world.controller.reject(&deleted).await.unwrap();
        world.intake_has_ended();
        assert_eq!(world.controller.reject(&deleted).await.unwrap(), Next::OnChange);
        assert_eq!(world.temporal.terminations(), [""; 0]);
    }
}

#[tokio::test]
async fn deletion_without_a_key_says_what_to_do() {
    let world = World::new().await;
    world.ready().await;
    world.api.remove::<Secret>("media", "fastio-api");
    world.delete();
    assert_eq!(world.reconcile().await, Next::After(Duration::from_secs(5)));
    assert_eq!(world.condition("Ready"), ("False".to_owned(), "Deleting".to_owned()));
    assert_eq!(world.stalled(), Reason::SecretNotFound.as_str());
    for word in ["fastio-api", "spec.deletionPolicy to Retain"] {
        assert!(world.message().contains(word), "{}", world.message());
    }
    assert_eq!(world.get().status.unwrap().webhook_id.as_deref(), Some("w1"));

    world.api.set::<FastioWebhook>("media", "studio", &json!({"spec": {"deletionPolicy": "Retain"}}));
    world.let_go().await;
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
}

#[tokio::test]
async fn deletion_before_any_registration_needs_no_key() {
    let world = World::new().await;
    world.api.remove::<Secret>("media", "fastio-api");
    world.reconcile().await;
    world.delete();
    world.let_go().await;
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_reported_and_can_be_deleted() {
    let world = World::new().await;
    world.ready().await;
    world.api.set::<FastioWebhook>("media", "studio", &json!({"spec": {"events": ["explode"]}}));
    let metadata = webhook().metadata;
    let mut invalid = InvalidObject { error: "unknown event".to_owned(), metadata };
    world.controller.reject(&invalid).await.unwrap();
    let reported: PartialStatus = world.api.get_as::<FastioWebhook, _>("media", "studio").unwrap();
    assert_eq!(reported.status.conditions[1].reason, Reason::InvalidSpec.as_str());
    assert_eq!(reported.status.webhook_id.as_deref(), Some("w1"), "the rest of the status stays");
    invalid.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::now()));
    world.delete();
    world.controller.reject(&invalid).await.unwrap();
    assert!(world.fastio.webhooks().is_empty());
}

#[tokio::test]
async fn deletion_removes_a_webhook_whose_creation_was_not_answered() {
    let world = World::new().await;
    world.reconcile().await;
    world.pods_are_ready();
    world.fastio.lose_next_answer();
    world.reconcile().await;
    let status = world.get().status.unwrap();
    assert_eq!(status.webhook_id, None);
    assert!(status.signing_key_fingerprint.is_some(), "the attempt stays recorded");
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);

    world.fastio.calls();
    world.delete();
    world.reconcile().await;
    assert_eq!(
        world.fastio.calls(),
        ["GET /workspaces/123/webhooks/", "DELETE /workspaces/123/webhooks/w1/"]
    );
    assert!(world.fastio.webhooks().is_empty());
    world.intake_has_ended();
    world.let_go().await;
}

#[tokio::test]
async fn what_cannot_be_seen_does_not_count_as_removed() {
    for (reason, hide) in [
        (
            Reason::WorkspaceNotFound,
            (|fastio| fastio.break_down(Some(StatusCode::NOT_FOUND))) as fn(&FakeFastio),
        ),
        (Reason::WebhooksUnsupported, FakeFastio::without_webhooks),
    ] {
        let world = World::new().await;
        world.ready().await;
        hide(&world.fastio);
        world.delete();
        assert!(matches!(world.reconcile().await, Next::After(_)));
        assert_eq!(world.condition("Ready").1, Reason::Deleting.as_str());
        assert_eq!(world.stalled(), reason.as_str());
        for word in ["API key", "spec.deletionPolicy to Retain"] {
            assert!(world.message().contains(word), "{}", world.message());
        }
        assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);

        world.api.set::<FastioWebhook>("media", "studio", &json!({"spec": {"deletionPolicy": "Retain"}}));
        world.let_go().await;
    }
}
