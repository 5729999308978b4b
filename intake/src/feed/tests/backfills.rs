use std::num::NonZeroU32;

use super::*;
use crate::feed::state::Backfills;
use crate::world::world;

fn backfilled(per_minute: u32) -> Candidate {
    Candidate { backfill: NonZeroU32::new(per_minute), ..candidate("photos", r#"["modify"]"#, "/out") }
}

#[tokio::test]
async fn a_backfill_is_about_every_file_that_the_pipeline_wants() {
    let world = world(vec![backfilled(600), candidate("other", r#"["upload"]"#, "/other")]).await;
    let somebody = world.fastio.somebody_else().await;
    let out = world.fastio.folder(&NodeId::root(), "out").await;
    for name in ["a.jpg", "b.txt", "c.jpg"] {
        world.fastio.upload(&somebody, &NodeId::root(), name).await;
    }
    world.fastio.upload(&world.fastio.client, &out, "a.thumb.webp").await;
    let feed = world.feed(Follow::None);
    let state = watch::Sender::new(Backfills::new());
    feed.backfill(&state, Duration::from_secs(5)).await.unwrap();
    let backfill = state.borrow()["uid-of-photos"].clone();
    // The result is a file of the right name, and then nothing is made of it.
    assert_eq!((backfill.done, backfill.files), (true, 3));
    let started = world.started();
    let mut names: Vec<_> = started.iter().map(|run| run.source.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a.jpg", "c.jpg"]);
    for run in &started {
        assert!(run.check_results && run.plan.pipeline.name() == "photos");
        assert!(run.event.id.as_str().starts_with("backfill.2"), "{}", run.event.id);
    }
    feed.backfill(&state, ROUND).await.unwrap();
    assert!(world.started().is_empty(), "it is done");

    world.pipelines.candidates.lock().unwrap().clear();
    feed.backfill(&state, ROUND).await.unwrap();
    assert!(state.borrow().is_empty(), "of a pipeline that is gone nothing is remembered");
}

#[tokio::test]
async fn a_file_that_cannot_be_decided_now_is_tried_again() {
    let world = world(vec![backfilled(600)]).await;
    for name in ["a.jpg", "b.jpg"] {
        world.put(name).await;
    }
    let feed = world.feed(Follow::None);
    // The call for both, and then the one for the first.
    world.fastio.fail("storage.details", r#""status":406,"code":191878,"times":2"#).await;
    let state = watch::Sender::new(Backfills::new());
    feed.backfill(&state, Duration::from_secs(5)).await.unwrap();
    let mut started = world.started_names();
    started.sort_unstable();
    assert_eq!(started, ["a.jpg", "b.jpg"]);
    assert!(state.borrow()["uid-of-photos"].done);
}

#[tokio::test]
async fn a_file_that_its_list_does_not_describe_is_looked_at() {
    let world = world(vec![backfilled(600)]).await;
    let plan = candidate("photos", "[]", "/out").plan.unwrap();
    let node = r#"{"id":"2abc","type":"file","name":"a.jpg","path":"/a.jpg"}"#;
    let mut nodes = [serde_json::from_str(node).unwrap()].into();
    let (files, _) = world.feed(Follow::None).take(&plan, 1, &mut nodes).await.unwrap();
    assert_eq!(files.len(), 1, "it has no size in the list");
}

#[tokio::test]
async fn a_backfill_keeps_its_rate_and_goes_on_where_it_was() {
    // One file in 750 ms.
    let world = world(vec![backfilled(80)]).await;
    for n in 0..20 {
        world.put(&format!("{n}.jpg")).await;
    }
    let feed = world.feed(Follow::None);
    let state = watch::Sender::new(Backfills::new());
    feed.backfill(&state, Duration::from_secs(1)).await.unwrap();
    let first = world.started_names();
    assert_eq!(first.len(), 6, "a step of a twelfth of the minute");
    let at = state.borrow()["uid-of-photos"].clone();
    assert!(!at.done && at.files == 6 && at.after.is_some());

    // Another process, and in a hurry.
    *world.pipelines.candidates.lock().unwrap() = vec![backfilled(6_000)];
    let resumed = watch::Sender::new(state.borrow().clone());
    world.feed(Follow::None).backfill(&resumed, Duration::from_secs(5)).await.unwrap();
    let rest = world.started_names();
    assert_eq!(rest.len(), 14);
    assert!(rest.iter().all(|name| !first.contains(name)), "no file twice");
    assert!(resumed.borrow()["uid-of-photos"].done);
}
