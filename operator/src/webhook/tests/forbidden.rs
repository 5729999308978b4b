//! Keys that may not see, register or change webhooks.

use super::*;

const WEBHOOKS: &str = "/webhooks/";
const CREATE: &str = "POST /workspaces/123/webhooks/";

#[tokio::test]
async fn auto_pulls_where_the_key_may_not_see_webhooks() {
    let mut world = World::with(&json!({"delivery": "Auto"})).await;
    world.fastio.forbid(&[WEBHOOKS]);
    world.ready().await;
    assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("live", "Pull"));
    assert_eq!(world.receiver(), [false; 4]);
    let message = world.message();
    assert!(
        message.contains("pulled from the change feed: webhooks cannot be registered with this key: Fast.io")
    );
    assert!(message.contains("rwa"), "{message}");

    world.fastio.forbid(&[]);
    world.restart();
    world.ready().await;
    assert_eq!((world.delivery().as_str(), world.receiver()), ("Both", [true; 4]));
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
}

#[tokio::test]
async fn auto_pulls_where_the_key_may_see_webhooks_and_not_register_them() {
    let mut world = World::with(&json!({"delivery": "Auto"})).await;
    world.fastio.forbid(&[CREATE]);
    world.reconcile().await;
    world.pods_are_ready();
    assert_eq!(world.reconcile().await, Next::After(Duration::from_millis(200)));
    assert_eq!((world.condition("Ready").1, world.stalled()), ("RollingOut".to_owned(), String::new()));
    world.ready().await;
    assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("live", "Pull"));
    assert!(world.message().contains("webhooks cannot be registered with this key: "), "{}", world.message());
    // Whether it was made is not known for sure.
    assert_eq!(world.receiver(), [true; 4]);
    world.fastio.calls();
    world.reconcile().await;
    assert_eq!(world.webhook_calls(), 0, "the same key is not tried again at once");

    world.fastio.forbid(&[]);
    world.change(&json!({"events": ["upload"]}));
    world.reconcile().await;
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"], "a changed spec is worth another try");
    world.ready().await;
    assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("net", "Both"));

    world.fastio.forbid(&[WEBHOOKS]);
    world.restart();
    world.ready().await;
    assert_eq!((world.delivery().as_str(), world.receiver()), ("Pull", [true; 4]));
    assert_eq!(world.get().status.unwrap().webhook_id.as_deref(), Some("w1"));
}

#[tokio::test]
async fn auto_needs_a_feed_that_the_key_may_read_where_it_may_not_register() {
    let world = World::with(&json!({"delivery": "Auto"})).await;
    world.fastio.forbid(&[WEBHOOKS, "/events/"]);
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::FeedForbidden.as_str());
}

#[tokio::test]
async fn whoever_wants_push_is_told_that_the_key_may_not_register() {
    for delivery in ["Push", "Both"] {
        for forbidden in [WEBHOOKS, CREATE] {
            let world = World::with(&json!({"delivery": delivery})).await;
            world.fastio.forbid(&[forbidden]);
            for _ in 0..3 {
                world.reconcile().await;
                world.pods_are_ready();
            }
            assert_eq!(world.stalled(), Reason::AccessDenied.as_str(), "{delivery} {forbidden}");
            assert!(world.message().contains("Secret fastio-api"), "{}", world.message());
            assert_eq!(world.receiver(), [true; 4]);
            world.fastio.forbid(&[]);
            world.key("other-key");
            world.ready().await;
        }
    }
}
