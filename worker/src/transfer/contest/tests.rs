use fastio_pipeline::results::result_name_beside;
use fastio_pipeline::run::RunRequest;
use serde_json::{Value, json};

use super::super::session::Session;
use super::super::upload::tests::{attempt, large, send, thumb};
use super::super::{MARKER_SOURCE, Progress};
use super::*;
use crate::world::{World, request};

fn version(id: &str, size: u64, created: Option<&str>) -> Version {
    let created = created.map_or(Value::Null, |time| format!("2026-11-01 10:00:{time} UTC").into());
    serde_json::from_value(json!({"id": id, "size": size, "created": created})).unwrap()
}

#[test]
fn whoever_came_first_has_the_name() {
    let ours = Fingerprint { size: 1, sha256: String::new() };
    for (newest_first, owner) in [
        (&[][..], Owner::Us),
        (&[("3a", 1)][..], Owner::Us),
        (&[("3b", 2), ("3a", 1)][..], Owner::UsBelow),
        (&[("3c", 1), ("3b", 2), ("3a", 1)][..], Owner::Us),
        (&[("3b", 1), ("3a", 2)][..], Owner::Them("3a".parse().unwrap())),
        (&[("3c", 2), ("3b", 1), ("3a", 2)][..], Owner::ThemAgain),
    ] {
        let versions: Vec<Version> = newest_first.iter().map(|(id, size)| version(id, *size, None)).collect();
        assert_eq!(decide(&versions, &ours), owner, "{newest_first:?}");
    }
}

#[test]
fn versions_are_ordered_by_date_and_then_by_where_the_current_one_is() {
    let ids = |versions: &[Version]| -> Vec<String> { versions.iter().map(|v| v.id.to_string()).collect() };
    for (versions, expected) in [
        ([("3a", Some("01")), ("3b", Some("02")), ("3c", Some("03"))], ["3c", "3b", "3a"]),
        ([("3b", Some("02")), ("3c", Some("03")), ("3a", Some("01"))], ["3c", "3b", "3a"]),
        ([("3a", Some("01")), ("3b", Some("01")), ("3c", Some("01"))], ["3c", "3b", "3a"]),
        ([("3c", Some("01")), ("3b", Some("01")), ("3a", Some("01"))], ["3c", "3b", "3a"]),
        ([("3a", None), ("3b", None), ("3c", None)], ["3c", "3b", "3a"]),
    ] {
        let mut versions = versions.map(|(id, created)| version(id, 1, created));
        newest_first(&mut versions, Some(&"3c".parse().unwrap()));
        assert_eq!(ids(&versions), expected);
    }
}

/// Two sources of one stem, and the folder that their results go to.
async fn two_sources(world: &World) -> [RunRequest; 2] {
    world.client.create_folder(&world.workspace, &NodeId::root(), "processed").await.unwrap();
    let jpg = request(&world.source("beach.jpg", b"one").await);
    let png = request(&world.source("beach.png", b"two").await);
    [jpg, png]
}

/// What a name has in the output folder: size and source of the marker.
async fn at(world: &World, name: &str) -> (u64, Option<String>) {
    let node = world.node_at(&["processed", name]).await.unwrap();
    let facts = world.client.facts(&world.workspace, &node.id).await.unwrap();
    (node.size.unwrap(), facts.get(MARKER_SOURCE).cloned())
}

fn beside(request: &RunRequest) -> String {
    let source = &request.source;
    result_name_beside(&source.name, &source.id, thumb(request))
}

/// An attempt that found the name free, opened a session and got no further.
async fn under_way(world: &World, request: &RunRequest) -> Progress<Option<Session>> {
    let progress = Progress::default();
    world
        .control("faults", json!({"kind": "fail", "operation": "upload.chunk", "status": 503, "times": 20}))
        .await;
    assert!(attempt(&world.client, request, &large(), &progress).await.is_err());
    world.no_faults().await;
    assert!(progress.get().unwrap().fresh);
    progress
}

#[tokio::test]
async fn both_results_of_one_moment_are_there() {
    let world = World::start().await;
    let [jpg, png] = two_sources(&world).await;
    // Both have looked before either of them uploads.
    world
        .control("faults", json!({"kind": "latency", "operation": "upload.create", "milliseconds": 300}))
        .await;
    let (one, two) = tokio::join!(send(&world, &jpg, b"1"), send(&world, &png, b"22"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.id, two.id);
    for (result, request) in [(one, &jpg), (two, &png)] {
        let source = Some(request.source.id.to_string());
        assert_eq!(at(&world, &result.name).await, (result.size, source), "{}", result.name);
    }
}

#[tokio::test]
async fn a_result_that_was_ready_in_the_meantime_gets_its_name_back() {
    let world = World::start().await;
    let [jpg, png] = two_sources(&world).await;
    let progress = under_way(&world, &png).await;
    let first = send(&world, &jpg, b"first").await.unwrap();
    assert_eq!(first.name, "beach.thumb.webp");
    let second = attempt(&world.client, &png, &large(), &progress).await.unwrap();
    assert_eq!(second.name, beside(&png));
    assert_eq!(at(&world, &first.name).await, (5, Some(jpg.source.id.to_string())));
    assert_eq!(at(&world, &second.name).await, (large().len() as u64, Some(png.source.id.to_string())));
}

#[tokio::test]
async fn a_large_file_of_somebody_else_is_put_back_too() {
    let world = World::start().await;
    let [jpg, png] = two_sources(&world).await;
    let progress = under_way(&world, &png).await;
    let mut theirs = large();
    theirs.push(7);
    attempt(&world.other, &jpg, &theirs, &Progress::default()).await.unwrap();
    attempt(&world.client, &png, &large(), &progress).await.unwrap();
    assert_eq!(at(&world, "beach.thumb.webp").await, (theirs.len() as u64, Some(jpg.source.id.to_string())));
}

#[tokio::test]
async fn a_persons_file_is_put_back_without_a_marker() {
    let world = World::start().await;
    let [_, png] = two_sources(&world).await;
    let progress = under_way(&world, &png).await;
    let folder = world.node_at(&["processed"]).await.unwrap();
    world.put(&world.other, &folder.id, "beach.thumb.webp", b"theirs").await;
    let second = attempt(&world.client, &png, &large(), &progress).await.unwrap();
    assert_eq!(second.name, beside(&png));
    assert_eq!(at(&world, "beach.thumb.webp").await, (6, None));
}

#[tokio::test]
async fn our_content_goes_on_top_of_what_came_after_it() {
    let world = World::start().await;
    let [jpg, _] = two_sources(&world).await;
    let progress = Progress::default();
    world.no_markers().await;
    assert!(attempt(&world.client, &jpg, b"ours", &progress).await.is_err());
    world.no_faults().await;
    let folder = world.node_at(&["processed"]).await.unwrap();
    world.put(&world.other, &folder.id, "beach.thumb.webp", b"somebody else's").await;
    let result = attempt(&world.client, &jpg, b"ours", &progress).await.unwrap();
    assert_eq!(result.name, "beach.thumb.webp");
    assert_eq!(at(&world, &result.name).await, (4, Some(jpg.source.id.to_string())));
}
