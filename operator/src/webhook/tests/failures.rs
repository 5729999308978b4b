//! What is kept when a change at Fast.io fails.

use super::*;

#[tokio::test]
async fn an_outdated_reconcile_writes_no_status() {
    let world = World::new().await;
    world.reconcile().await;
    world.pods_are_ready();
    let outdated = Arc::new(world.get());
    let recorded = json!({"metadata": {"resourceVersion": "1000"},
        "status": {"webhookId": "w7", "signingKeyFingerprint": "of the other operator"}});
    world.api.set::<FastioWebhook>("media", "studio", &recorded);
    let before = world.get();
    let next = world.controller.reconcile(outdated).await.unwrap();
    assert_eq!(next, Next::After(Duration::from_millis(200)));
    assert_eq!(serde_json::to_value(world.get()).unwrap(), serde_json::to_value(before).unwrap());
    assert!(world.fastio.webhooks().is_empty());
}

#[tokio::test]
async fn a_rate_limit_that_a_change_ran_into_is_respected() {
    let world = World::new().await;
    world.reconcile().await;
    world.pods_are_ready();
    world.fastio.break_down(Some(StatusCode::TOO_MANY_REQUESTS));
    assert!(matches!(world.reconcile().await, Next::Backoff { at_least: Some(_) }));
    world.fastio.calls();
    world.fastio.break_down(None);
    world.reconcile().await;
    assert!(world.fastio.calls().is_empty(), "the client of the key knows the limit");
}

#[tokio::test]
async fn what_was_known_outlives_a_change_that_failed() {
    let world = World::new().await;
    world.ready().await;
    let spec = |generation: i64, events: Value| {
        let change = json!({"metadata": {"generation": generation}, "spec": {"events": events}});
        world.api.set::<FastioWebhook>("media", "studio", &change);
    };
    world.fastio.break_down(Some(StatusCode::INTERNAL_SERVER_ERROR));
    spec(2, json!(["upload"]));
    assert!(matches!(world.reconcile().await, Next::Backoff { .. }));
    spec(3, json!(["upload", "modify"]));
    world.reconcile().await;
    world.pods_are_ready();
    world.reconcile().await;
    assert_eq!(world.condition("Ready"), ("True".to_owned(), "Running".to_owned()));
}
