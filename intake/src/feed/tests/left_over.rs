//! Files that cannot be read when they are come upon: none of them is lost.

use std::num::NonZeroU32;

use fastio_pipeline::event::{EventKind, FileEvent};
use jiff::SignedDuration;

use super::odd_rows::answering;
use super::*;
use crate::feed::search::Search;
use crate::feed::state::{Awaiting, Backfill, Backfills, MAX_LEFT_OVER, MAX_WAITING, Memory};
use crate::occasion::Occasion;
use crate::world::world;

/// Of whatever file the details are asked for.
pub(super) const UNREADABLE: &str = r#""status":406,"code":191878,"times":null"#;

impl World {
    async fn heal(&self) {
        self.fastio.control("DELETE", "faults", "").await;
    }
}

/// As if the time had passed.
fn age(awaiting: &mut Awaiting, hours: i64) {
    for at in [Some(&mut awaiting.since), awaiting.tried.as_mut()].into_iter().flatten() {
        *at = at.checked_sub(SignedDuration::from_hours(hours)).unwrap();
    }
}

#[tokio::test]
async fn what_is_read_waits_until_its_file_can_be_read() {
    for forbidden in [None, Some("events.changes")] {
        let world = world(vec![photos()]).await;
        let feed = world.feed(Follow::Net);
        if let Some(operation) = forbidden {
            world.fastio.fail(operation, FORBIDDEN).await;
        }
        let state = opened(&feed).await;
        world.put("beach.jpg").await;
        world.fastio.fail("storage.details", UNREADABLE).await;
        feed.follow(&state, ROUND).await.unwrap();
        assert_eq!(state.borrow().pending.len(), 1);
        // Long after the grace period, and tried once more.
        state.send_modify(|state| age(&mut state.pending[0], 2));
        let since = state.borrow().pending[0].since;
        feed.follow(&state, ROUND).await.unwrap();
        assert!(state.borrow().pending[0].since == since && world.started().is_empty());
        world.heal().await;
        feed.follow(&state, ROUND).await.unwrap();
        assert!(world.started().is_empty(), "it is not due yet");
        state.send_modify(|state| age(&mut state.pending[0], 1));
        feed.follow(&state, ROUND).await.unwrap();
        assert_eq!(world.started_names(), ["beach.jpg"]);
        assert_eq!(state.borrow().pending, []);
    }
}

#[tokio::test]
async fn every_kind_of_event_waits_for_a_day_and_is_then_given_up() {
    let events = r#"["upload","modify","move","delete","access"]"#;
    let world = world(vec![candidate("photos", events, "/out")]).await;
    let (registry, metrics) = metrics();
    let feed = Feed { metrics, ..world.feed(Follow::Net) };
    let somebody = world.fastio.somebody_else().await.auth_check().await.unwrap();
    let file = world.put("beach.jpg").await;
    world.fastio.fail("storage.details", UNREADABLE).await;
    let photos = Occasion::Backfill("media/photos".parse().unwrap());
    let (read, listed) = (Occasion::Feed, [Occasion::Relist, photos]);
    let all = [EventKind::Upload, EventKind::Modify, EventKind::Move, EventKind::Delete, EventKind::Access];
    let cases = all.map(|kind| (&read, kind)).into_iter();
    let cases = cases.chain(listed.iter().map(|occasion| (occasion, EventKind::Upload)));
    for (given_up, (occasion, kind)) in cases.enumerate() {
        let event = FileEvent { actor: Some(somebody.to_string()), ..world.event(kind, file.as_str()) };
        let mut left = feed.settle_new(occasion, vec![event]).await.unwrap();
        for hours in [1, 22] {
            for awaiting in &mut left {
                age(awaiting, hours);
            }
            left = feed.settle(left).await.unwrap();
            assert_eq!(left.len(), 1, "{occasion:?} {kind}");
        }
        assert!(encoded(&registry).contains(&format!("feed_given_up_events_total {given_up}")));
        for awaiting in &mut left {
            age(awaiting, 1);
        }
        assert_eq!(feed.settle(left).await.unwrap(), [], "{occasion:?} {kind}");
        assert!(encoded(&registry).contains(&format!("feed_given_up_events_total {}", given_up + 1)));
    }
    assert!(world.started().is_empty());
}

#[tokio::test]
async fn following_goes_on_with_what_a_listing_could_not_decide() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let mut memory = Memory::default();
    feed.open(None).await.unwrap().remember(&mut memory);
    let begun = Timestamp::now();
    world.put("beach.jpg").await;
    // The position is behind the file: only the listing comes upon it.
    memory.following = opened(&feed).await.borrow().clone();
    world.fastio.fail("storage.details", UNREADABLE).await;
    memory.listed(relisted(&feed, begun).await, false, false);
    assert!(memory.relisting.watermark > Some(begun), "the listing does not come back to it");
    world.heal().await;

    let state = watch::Sender::new(memory.follow_on());
    state.send_modify(|state| age(&mut state.pending[0], 1));
    feed.follow(&state, ROUND).await.unwrap();
    let [run] = world.started().try_into().unwrap();
    assert!(run.source.name == "beach.jpg" && run.event.id.as_str().starts_with("relist.2"));
    assert!(run.check_results && state.borrow().pending.is_empty());
}

#[tokio::test]
async fn what_a_page_of_many_leaves_over_is_not_forgotten_at_the_next() {
    let world = world(vec![photos()]).await;
    let file = world.put("beach.jpg").await;
    let items = format!(r#"[{{"id":"{file}","type":"file","name":"beach.jpg"}}]"#);
    let page = format!(
        r#"{{"result":true,"nodes":{{"items":{items}}},"pagination":{{"has_more":true,"next_cursor":"2"}}}}"#
    );
    let feed = Feed { client: answering(page).await, ..world.feed(Follow::Net) };
    world.fastio.fail("storage.details", UNREADABLE).await;
    let state = watch::Sender::new(Relisting { watermark: Some(Timestamp::now()), ..Relisting::default() });
    feed.relist(&state, Duration::ZERO).await.unwrap();
    assert_eq!((state.borrow().left_over.len(), state.borrow().sweep.is_some()), (1, true));
}

#[tokio::test]
async fn following_goes_on_with_what_a_backfill_could_not_decide_also_where_nothing_is_followed() {
    let backfill = NonZeroU32::new(600);
    let world = world(vec![Candidate { backfill, ..candidate("photos", r#"["modify"]"#, "/out") }]).await;
    let feed = world.feed(Follow::None);
    let mut memory = Memory::default();
    feed.open(None).await.unwrap().remember(&mut memory);
    world.put("beach.jpg").await;
    world.fastio.fail("storage.details", UNREADABLE).await;
    let backfills = watch::Sender::new(Backfills::new());
    feed.backfill(&backfills, Duration::from_secs(5)).await.unwrap();
    memory.backfilled(backfills.borrow().clone());
    assert!(memory.backfills["uid-of-photos"].done);
    world.heal().await;

    let state = watch::Sender::new(memory.follow_on());
    state.send_modify(|state| age(&mut state.pending[0], 1));
    feed.follow(&state, ROUND).await.unwrap();
    let [run] = world.started().try_into().unwrap();
    assert!(run.source.name == "beach.jpg" && run.event.id.as_str().starts_with("backfill.2"));
}

/// So many events that nobody can decide.
fn waiting(world: &World, count: usize) -> Vec<Awaiting> {
    let event = world.event(EventKind::Upload, "2zzzzzzzzzzzzzzzzzzzzzzzzzzz7");
    let tried = Some(Timestamp::now());
    vec![Awaiting { tried, ..Awaiting::new(&Occasion::Feed, event) }; count]
}

#[tokio::test]
async fn whoever_has_too_much_that_waits_moves_on_no_further() {
    let access = candidate("audit", r#"["access"]"#, "/audit");
    let backfill = NonZeroU32::new(600);
    let world = world(vec![Candidate { backfill, ..photos() }, access]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    let before = source(&state);
    world.put("beach.jpg").await;
    let catching_up = Some(Search::new(Timestamp::UNIX_EPOCH, []));
    state.send_modify(|state| {
        state.pending = waiting(&world, MAX_WAITING);
        state.catching_up.clone_from(&catching_up);
    });
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!((source(&state), state.borrow().accesses.is_none()), (before, true));
    assert_eq!(state.borrow().catching_up, catching_up);

    let left_over = waiting(&world, MAX_LEFT_OVER);
    let watermark = Timestamp::UNIX_EPOCH;
    let relisting =
        Relisting { watermark: Some(watermark), left_over: left_over.clone(), ..Relisting::default() };
    let state = watch::Sender::new(relisting);
    feed.relist(&state, ROUND).await.unwrap();
    assert_eq!(state.borrow().watermark, Some(watermark));

    let begun = serde_json::json!({"pipeline": "media/photos", "started": watermark, "files": 0});
    let begun = Backfill { left_over, ..serde_json::from_value(begun).unwrap() };
    let state = watch::Sender::new(Backfills::from([("uid-of-photos".to_owned(), begun)]));
    feed.backfill(&state, ROUND).await.unwrap();
    assert_eq!(state.borrow()["uid-of-photos"].files, 0);
    assert!(world.started().is_empty());
}

#[tokio::test]
async fn what_is_left_over_is_taken_over_as_there_is_room() {
    let world = world(Vec::new()).await;
    let mut memory = Memory::default();
    memory.following.pending = waiting(&world, MAX_WAITING - 60);
    assert!(memory.has_room());
    memory.listed(
        Relisting { left_over: waiting(&world, MAX_LEFT_OVER), ..Relisting::default() },
        false,
        false,
    );
    assert!(memory.relisting.left_over.is_empty() && !memory.has_room());
    assert_eq!(memory.follow_on().pending.len(), MAX_WAITING);
    assert_eq!((memory.following.pending.len(), memory.left_over.len()), (MAX_WAITING, MAX_LEFT_OVER - 60));
    assert!(memory.has_room());
    assert_eq!(memory.follow_on().pending.len(), MAX_WAITING, "no room");
    let restored =
        serde_json::from_str::<Memory>(&serde_json::to_string(&memory).unwrap()).unwrap().restored();
    assert_eq!(
        (restored.left_over, restored.following.pending),
        (memory.left_over, memory.following.pending)
    );
}
