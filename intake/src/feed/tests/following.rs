use fastio_pipeline::event::EventKind;
use fastio_temporal::failure::Class;
use jiff::SignedDuration;

use super::*;
use crate::feed::state::{Awaiting, Backfills, Memory, Opened};
use crate::intake::{GRACE, Undecided};
use crate::occasion::Occasion;
use crate::world::world;

#[tokio::test]
async fn what_happens_after_the_opening_is_read_once() {
    let world = world(vec![photos()]).await;
    world.put("before.jpg").await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    assert!(matches!(source(&state), Some(Source::Changes { .. })));
    world.put("beach.jpg").await;
    world.put("notes.txt").await;
    feed.follow(&state, ROUND).await.unwrap();
    let [run] = world.started().try_into().unwrap();
    assert_eq!((run.source.name.as_str(), run.event.kind), ("beach.jpg", EventKind::Upload));
    assert!(!run.check_results, "a file that has just come needs no look");
    assert!(state.borrow().last_read.is_some() && state.borrow().pending.is_empty());
    feed.follow(&state, ROUND).await.unwrap();
    assert!(world.started().is_empty());
}

#[tokio::test]
async fn every_page_is_read() {
    let world = world(vec![photos()]).await;
    let file = world.put("beach.jpg").await;
    let feed = Feed { page: 3, ..world.feed(Follow::Net) };
    let state = opened(&feed).await;
    for n in 0..10 {
        let name = format!("beach-{n}.jpg");
        world.fastio.client.rename_node(&world.fastio.workspace, &file, &name).await.unwrap();
    }
    feed.follow(&state, ROUND).await.unwrap();
    let started = world.started();
    assert_eq!(started.len(), 10);
    assert!(started.iter().all(|run| run.workflow_id == started[0].workflow_id), "one version is one run");
    assert!(state.borrow().last_read.is_some());
}

#[tokio::test]
async fn an_expired_position_loses_nothing() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let mut memory = Memory::default();
    feed.open(None).await.unwrap().remember(&mut memory);
    let state = watch::Sender::new(memory.following.clone());
    world.put("beach.jpg").await;
    world.fastio.fail("events.changes", EXPIRED).await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), None);

    feed.open(state.borrow().lost.clone().as_ref()).await.unwrap().remember(&mut memory);
    assert!(memory.relist_now);
    let relisting = relisted(&feed, memory.relisting.watermark.unwrap()).await;
    assert!(relisting.watermark > memory.relisting.watermark);
    let [run] = world.started().try_into().unwrap();
    assert!(run.source.name == "beach.jpg" && run.event.kind == EventKind::Upload && run.check_results);
    assert!(run.event.id.as_str().starts_with("relist.2"), "{}", run.event.id);
}

#[tokio::test]
async fn a_service_that_is_away_keeps_the_position() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    let before = source(&state);
    world.put("beach.jpg").await;
    world.fastio.fail("events.changes", r#""status":503,"retry_after":7"#).await;
    let away = feed.follow(&state, ROUND).await.unwrap_err();
    assert!(matches!(away.class(), Class::Retry { after: Some(_) }), "{away}");
    assert_eq!(source(&state), before);
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn a_feed_that_stalls_is_read_later() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Live);
    let state = opened(&feed).await;
    world.put("beach.jpg").await;
    world.fastio.control("POST", "faults", r#"{"kind":"stall_feed","times":1}"#).await;
    // A nudge is followed after a second, but not into this.
    feed.follow(&state, Duration::from_millis(1_300)).await.unwrap();
    assert!(world.started().is_empty() && state.borrow().last_read.is_none());
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn a_key_that_is_revoked_and_replaced_loses_nothing() {
    let world = world(vec![photos()]).await;
    let somebody = world.fastio.somebody_else().await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    world.fastio.revoke_key().await;
    world.fastio.upload(&somebody, &NodeId::root(), "beach.jpg").await;
    let refused = feed.follow(&state, ROUND).await.unwrap_err();
    assert_eq!((refused.type_name(), refused.class()), ("KeyRejected", Class::Attention));
    assert!(source(&state).is_some());
    world.fastio.give_key_back().await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["beach.jpg"]);
}

#[tokio::test]
async fn a_run_that_temporal_does_not_take_keeps_the_position() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    world.put("beach.jpg").await;
    let before = source(&state);
    std::fs::remove_file(world.keys.path().join("key")).unwrap();
    assert!(feed.follow(&state, ROUND).await.is_err());
    assert_eq!(source(&state), before);
}

#[tokio::test]
async fn a_key_without_the_change_feed_reads_the_event_log() {
    let world = world(vec![photos(), candidate("audit", r#"["access"]"#, "/audit")]).await;
    let somebody = world.fastio.somebody_else().await;
    world.put("before.jpg").await;
    world.fastio.fail("events.changes", FORBIDDEN).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    assert!(matches!(source(&state), Some(Source::Search(_))));
    let beach = world.put("beach.jpg").await;
    // Our own download, and somebody else's.
    for client in [&world.fastio.client, &somebody] {
        client.download_token(&world.fastio.workspace, &beach, None).await.unwrap();
    }
    feed.follow(&state, ROUND).await.unwrap();
    let mut started: Vec<_> =
        world.started().iter().map(|run| (run.plan.pipeline.name().to_owned(), run.event.kind)).collect();
    started.sort();
    let expected = [("audit", EventKind::Access), ("photos", EventKind::Upload)];
    assert_eq!(started, expected.map(|(name, kind)| (name.to_owned(), kind)));
    feed.follow(&state, ROUND).await.unwrap();
    assert!(world.started().is_empty(), "what is in the overlap is remembered");

    world.fastio.fail("events.search", FORBIDDEN).await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), None, "another way has to be found");
}

#[tokio::test]
async fn accesses_are_read_beside_the_changes_for_whoever_wants_them() {
    let world = world(vec![photos(), candidate("audit", r#"["access"]"#, "/audit")]).await;
    let somebody = world.fastio.somebody_else().await;
    let beach = world.put("beach.jpg").await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    for client in [&world.fastio.client, &somebody] {
        client.download_token(&world.fastio.workspace, &beach, None).await.unwrap();
    }
    feed.follow(&state, ROUND).await.unwrap();
    let [run] = world.started().try_into().unwrap();
    assert_eq!((run.plan.pipeline.name(), run.event.kind), ("audit", EventKind::Access));
    feed.follow(&state, ROUND).await.unwrap();
    assert!(world.started().is_empty());

    // Not to be allowed to read accesses keeps nothing else from being read.
    world.fastio.fail("events.search", FORBIDDEN).await;
    world.put("dune.jpg").await;
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(world.started_names(), ["dune.jpg"]);
    world.pipelines.candidates.lock().unwrap().pop();
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(state.borrow().accesses, None);
}

#[tokio::test]
async fn a_key_without_both_has_its_listings() {
    let world = world(vec![photos()]).await;
    world.fastio.fail("events.changes", r#""status":404,"code":9992,"times":null"#).await;
    world.fastio.fail("events.search", FORBIDDEN).await;
    let feed = world.feed(Follow::Live);
    let state = opened(&feed).await;
    let Some(Source::Relist { reason }) = source(&state) else { panic!("{:?}", source(&state)) };
    assert!(reason.contains("9992") && reason.contains("10767"), "{reason}");
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), None, "another key may be allowed more by now");
}

#[tokio::test]
async fn a_nudge_makes_it_quick() {
    let world = world(vec![photos()]).await;
    let feed = Arc::new(world.feed(Follow::Live));
    let state = Arc::new(opened(&feed).await);
    let round = {
        let (feed, state) = (Arc::clone(&feed), Arc::clone(&state));
        tokio::spawn(async move { feed.follow(&state, Duration::from_secs(20)).await })
    };
    // The first reading is over.
    while state.borrow().last_read.is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.put("beach.jpg").await;
    let put = Instant::now();
    while world.runs.0.lock().unwrap().is_empty() {
        assert!(put.elapsed() < Duration::from_secs(2) && !round.is_finished());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    round.abort();
}

#[tokio::test]
async fn an_event_waits_for_its_file_and_holds_up_no_other() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let unknown = world.event(EventKind::Upload, "2zzzzzzzzzzzzzzzzzzzzzzzzzzz7");
    let known = world.event(EventKind::Upload, world.put("beach.jpg").await.as_str());
    let pending = feed.settle_new(&Occasion::Feed, vec![unknown.clone(), known]).await.unwrap();
    assert_eq!(pending.iter().map(|awaiting| &awaiting.event).collect::<Vec<_>>(), [&unknown]);
    assert_eq!(world.started_names(), ["beach.jpg"]);

    let long_ago = Timestamp::now().checked_sub(SignedDuration::try_from(GRACE).unwrap()).unwrap();
    let old = Awaiting { since: long_ago, ..pending[0].clone() };
    assert_eq!(feed.settle(vec![old]).await.unwrap(), []);
}

#[tokio::test]
async fn nothing_is_followed_when_everything_is_delivered() {
    let world = world(vec![photos()]).await;
    let off = world.feed(Follow::None);
    let opening = off.open(None).await.unwrap();
    assert_eq!((&opening.opened.source, opening.relist_every), (&Source::Off, None));
    let state = opened(&off).await;
    world.put("beach.jpg").await;
    off.follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), Some(Source::Off));
    assert!(world.started().is_empty());
    world.feed(Follow::Net).follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), None, "a process that follows opens a source");
}

#[tokio::test]
async fn another_workspace_is_opened_anew() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    state.send_modify(|state| {
        let opened = state.opened.clone().unwrap();
        state.opened = Some(Opened { workspace: "another".parse().unwrap(), ..opened });
    });
    feed.follow(&state, ROUND).await.unwrap();
    assert_eq!(source(&state), None);
}

#[tokio::test]
async fn nothing_goes_on_by_a_stale_view() {
    let world = world(vec![photos()]).await;
    let feed = world.feed(Follow::Net);
    let state = opened(&feed).await;
    let before = source(&state);
    world.put("beach.jpg").await;
    world.pipelines.stale.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(feed.follow(&state, ROUND).await, Err(Undecided::Stale(_))));
    assert_eq!(source(&state), before);
    let backfills = watch::Sender::new(Backfills::new());
    assert!(matches!(feed.backfill(&backfills, ROUND).await, Err(Undecided::Stale(_))));
}
