//! Keys that may not read the feed.

use super::*;

const CHANGES: &str = "/events/changes/";
const EVENTS: &str = "/events/search/";

impl World {
    fn feed_calls(&self) -> Vec<String> {
        let calls = self.fastio.calls().into_iter();
        calls.filter(|call| call.contains(CHANGES) || call.contains(EVENTS)).collect()
    }
}

#[tokio::test]
async fn one_readable_feed_is_enough() {
    let world = World::with(&json!({"delivery": "Pull"})).await;
    world.ready().await;
    assert_eq!(world.feed_calls(), ["GET /org/77/events/changes/"], "asked once, and remembered");

    let world = World::with(&json!({"delivery": "Pull"})).await;
    world.fastio.forbid(&[CHANGES]);
    world.ready().await;
    assert_eq!(world.message(), "events of workspace 123 are pulled from the event log");
}

#[tokio::test]
async fn a_key_that_may_read_no_feed_stalls_what_is_pulled_until_there_is_another() {
    let world = World::with(&json!({"delivery": "Pull"})).await;
    world.fastio.forbid(&[CHANGES, EVENTS]);
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::FeedForbidden.as_str());
    for word in ["Secret fastio-api", "workspace 123", "organisation 77", "rwa", "spec.delivery to Push"] {
        assert!(world.message().contains(word), "{}", world.message());
    }
    world.feed_calls();
    world.reconcile().await;
    assert!(world.feed_calls().is_empty(), "the same key is not tried again at once");

    world.fastio.forbid(&[]);
    world.key("other-key");
    world.ready().await;
}

#[tokio::test]
async fn where_events_are_pushed_a_feed_that_cannot_be_read_is_told_and_no_obstacle() {
    for delivery in ["Both", "Auto"] {
        let world = World::with(&json!({"delivery": delivery})).await;
        world.fastio.forbid(&[CHANGES, EVENTS]);
        world.ready().await;
        assert!(world.message().contains("without the feed as a safety net"), "{}", world.message());
        assert_eq!(world.delivery(), "Both");
    }
    let world = World::new().await;
    world.ready().await;
    assert!(world.feed_calls().is_empty(), "push alone needs no feed");
}

#[tokio::test]
async fn push_is_not_given_up_for_a_feed_that_cannot_be_read() {
    let world = World::new().await;
    world.ready().await;
    world.fastio.forbid(&[CHANGES, EVENTS]);
    world.change(&json!({"delivery": "Pull"}));
    world.reconcile().await;
    world.pods_are_ready();
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::FeedForbidden.as_str());
    assert_eq!(world.receiver(), [true; 4]);
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
}

#[tokio::test]
async fn an_outage_of_the_feed_and_a_lack_of_credits_are_no_lack_of_rights() {
    for (status, ready) in [
        (StatusCode::BAD_GATEWAY, ("Unknown".to_owned(), "Retrying".to_owned())),
        (StatusCode::PAYMENT_REQUIRED, ("False".to_owned(), "AccessDenied".to_owned())),
    ] {
        let world = World::with(&json!({"delivery": "Pull"})).await;
        world.fastio.refuse(status, &[CHANGES]);
        world.reconcile().await;
        assert_eq!(world.condition("Ready"), ready);
        assert!(!world.feed_calls().contains(&format!("GET {EVENTS}")));
        world.fastio.refuse(status, &[]);
        world.ready().await;
        // A safety net that cannot be asked for a while is no news.
        let world = World::with(&json!({"delivery": "Both"})).await;
        world.fastio.refuse(status, &[CHANGES]);
        world.ready().await;
    }
}

#[tokio::test]
async fn where_there_is_no_change_feed_the_event_log_is_read() {
    let world = World::with(&json!({"delivery": "Pull"})).await;
    world.fastio.refuse(StatusCode::NOT_FOUND, &[CHANGES]);
    world.ready().await;
    assert_eq!(world.feed_calls(), ["GET /org/77/events/changes/", "GET /events/search/"]);
}
