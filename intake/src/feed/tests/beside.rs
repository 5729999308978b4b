//! What is read beside the changes: it does not hold them up, unless nothing at all can be decided.

use std::sync::atomic::Ordering;

use super::*;
use crate::feed::search::Search;
use crate::intake::Undecided;
use crate::world::world;

#[tokio::test]
async fn accesses_are_not_passed_over_by_a_stale_view() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    // There is no change to decide: only whether accesses are wanted has to be known.
    world.pipelines.stale.store(true, Ordering::Relaxed);
    assert!(matches!(feed.follow(&state, ROUND).await, Err(Undecided::Stale(_))));
}

#[tokio::test]
async fn catching_up_does_not_go_on_without_temporal() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let before = Search::new(Timestamp::now(), []);
    world.put("beach.jpg").await;
    // The position is behind the file: only the event log tells of it.
    let state = opened(&feed).await;
    state.send_modify(|state| state.catching_up = Some(before.clone()));
    world.runs.1.store(true, Ordering::Relaxed);
    assert!(matches!(feed.follow(&state, ROUND).await, Err(Undecided::Temporal(_))));
    assert_eq!(state.borrow().catching_up, Some(before));
    world.runs.1.store(false, Ordering::Relaxed);
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!((world.started_names(), &state.borrow().catching_up), (vec!["beach.jpg".to_owned()], &None));
}

#[tokio::test]
async fn a_log_that_fails_is_read_later_and_holds_up_nothing() {
    let world = world(vec![photos()]).await;
    let (registry, metrics) = metrics();
    let feed = Feed { metrics, ..world.feed(Follow::Net) };
    let before = Search::new(Timestamp::now(), []);
    world.put("logged.jpg").await;
    let state = opened(&feed).await;
    state.send_modify(|state| state.catching_up = Some(before.clone()));
    world.put("beach.jpg").await;
    world.fastio.fail("events.search", r#""status":503,"retry_after":3000"#).await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(
        (world.started_names(), &state.borrow().catching_up),
        (vec!["beach.jpg".to_owned()], &Some(before))
    );
    let counted = r#"feed_problems_total{activity="FollowFeed",reason="FastioUnavailable"} 1"#;
    assert!(encoded(&registry).contains(counted), "{}", encoded(&registry));
}

#[tokio::test]
async fn a_log_that_may_not_be_read_is_not_asked_for_ever() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    state.send_modify(|state| state.catching_up = Some(Search::new(Timestamp::now(), [])));
    world.fastio.fail("events.search", FORBIDDEN).await;
    world.put("beach.jpg").await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!((world.started_names(), &state.borrow().catching_up), (vec!["beach.jpg".to_owned()], &None));
}
