use fastio_pipeline::event::EventKind;
use jiff::SignedDuration;

use super::*;
use crate::feed::state::Memory;
use crate::world::world;

/// As the workflow does it.
async fn reopened(feed: &Feed, state: &watch::Sender<Following>) -> Memory {
    let lost = state.borrow().lost.clone();
    assert!(lost.is_some());
    let mut memory = Memory { following: state.borrow().clone(), ..Memory::default() };
    memory.workspace = Some(feed.workspace.clone());
    memory.relisting.watermark = Some(Timestamp::UNIX_EPOCH);
    feed.open(lost.as_ref()).await.unwrap().remember(&mut memory);
    state.send_replace(memory.following.clone());
    memory
}

#[tokio::test]
async fn a_position_that_is_still_good_is_kept() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    let before = source(&state);
    world.put("beach.jpg").await;
    world.fastio.fail("events.changes", r#""status":403,"code":10767"#).await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), None);
    let memory = reopened(&feed, &state).await;
    assert!(source(&state) == before && !memory.relist_now);
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn what_a_lost_position_would_have_told_is_in_the_event_log() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    world.put("beach.jpg").await;
    world.fastio.fail("events.changes", EXPIRED).await;
    feed.follow(&state, ROUND).await.unwrap();
    let memory = reopened(&feed, &state).await;
    assert!(memory.relist_now && matches!(source(&state), Some(Source::Changes { .. })));
    feed.follow(&state, ROUND).await.unwrap();
    let [run] = world.started().try_into().unwrap();
    assert_eq!((run.source.name.as_str(), run.event.kind), ("beach.jpg", EventKind::Upload));
    assert!(!run.event.id.as_str().starts_with("relist."), "{}", run.event.id);
    assert_eq!(state.borrow().catching_up, None, "once");
}

#[tokio::test]
async fn the_event_log_takes_over_where_the_change_feed_stopped() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    world.put("beach.jpg").await;
    world.fastio.fail("events.changes", FORBIDDEN).await;
    feed.follow(&state, ROUND).await.unwrap();
    reopened(&feed, &state).await;
    assert!(matches!(source(&state), Some(Source::Search(_))));
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn the_change_feed_is_tried_again_after_a_while() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    world.fastio.fail("events.changes", r#""status":403,"code":10767"#).await;
    let state = opened(&feed).await;
    feed.follow(&state, ROUND).await.unwrap();
    assert!(matches!(source(&state), Some(Source::Search(_))));
    let long_ago = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).unwrap();
    state.send_modify(|state| state.opened.as_mut().unwrap().since = long_ago);
    feed.follow(&state, ROUND).await.unwrap();
    world.put("beach.jpg").await;
    reopened(&feed, &state).await;
    assert!(matches!(source(&state), Some(Source::Changes { .. })));
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn whoever_has_only_listings_lists_no_more_often_for_looking_for_more() {
    let world = world(vec![photos()]).await;
    world.fastio.fail("events.changes", FORBIDDEN).await;
    world.fastio.fail("events.search", FORBIDDEN).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    feed.follow(&state, ROUND).await.unwrap();
    assert!(!reopened(&feed, &state).await.relist_now);
    assert!(matches!(source(&state), Some(Source::Relist { .. })));
    feed.follow(&state, ROUND).await.unwrap();
    assert!(!reopened(&feed, &state).await.relist_now);
}

#[tokio::test]
async fn changes_do_not_wait_for_accesses() {
    let world = world(vec![photos(), candidate("audit", r#"["access"]"#, "/audit")]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    world.fastio.fail("events.search", r#""status":429,"retry_after":3000,"times":null"#).await;
    world.put("beach.jpg").await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn a_service_that_is_away_is_not_taken_for_one_that_refuses() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    state.send_modify(Following::lose);
    let lost = state.borrow().lost.clone();
    for operation in ["events.changes", "events.search"] {
        world.fastio.fail(operation, r#""status":503,"retry_after":7,"times":null"#).await;
        for lost in [lost.as_ref(), None] {
            let away = feed.open(lost).await.unwrap_err();
            assert_eq!(away.type_name(), "FastioUnavailable");
        }
        world.fastio.control("DELETE", "faults", "").await;
        // The event log is asked only by who may not read the change feed.
        world.fastio.fail("events.changes", FORBIDDEN).await;
    }
}
