use jiff::SignedDuration;

use super::*;
use crate::feed::state::Sweep;
use crate::world::world;

#[tokio::test]
async fn a_listing_finds_what_changed_since_the_last_and_nothing_else() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    world.put("beach.jpg").await;
    let later = Timestamp::now().checked_add(SignedDuration::from_mins(6)).unwrap();
    relisted(&feed, later).await;
    assert!(world.started().is_empty());
    relisted(&feed, Timestamp::now()).await;
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn a_listing_whose_position_is_not_good_any_more_starts_over() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    world.put("beach.jpg").await;
    let started = Timestamp::now();
    let page = Some(serde_json::from_str("\"no-page\"").unwrap());
    let sweep = Some(Sweep { started, page });
    let state = watch::Sender::new(Relisting { watermark: Some(started), sweep, ..Relisting::default() });
    assert!(feed.relist(&state, ROUND).await.is_err());
    assert_eq!(state.borrow().sweep, Some(Sweep { started, page: None }));
    feed.relist(&state, ROUND).await.unwrap();
    assert_eq!(state.borrow().watermark, Some(started));
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_decided_now_is_tried_again() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    world.put("beach.jpg").await;
    // The calls of the first try.
    world.fastio.fail("storage.details", r#""status":406,"code":191878,"times":2"#).await;
    relisted(&feed, Timestamp::now()).await;
    assert_eq!(world.started_names(), ["beach.jpg"]);
}
