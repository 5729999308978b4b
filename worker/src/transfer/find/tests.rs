use fastio::NodeId;
use fastio_pipeline::results::OutputFolder;

use super::super::Progress;
use super::super::upload::tests::file;
use super::super::upload::{Output, upload};
use super::*;
use crate::world::{World, request};

/// Uploads the results of all steps.
async fn make(world: &World, request: &RunRequest) -> Vec<ResultFile> {
    let mut results = Vec::new();
    for step in request.plan.steps.iter() {
        let output = Output { file: file(step.name.as_str().as_bytes()), spool: &tempfile::tempfile };
        let result = upload(&world.client, request, step, output, &Progress::default()).await;
        results.push(result.unwrap());
    }
    results
}

async fn look(world: &World, request: &RunRequest) -> Option<Vec<ResultFile>> {
    find(&world.client, request).await.unwrap()
}

async fn facts_read(world: &World) -> u64 {
    world.calls("metadata.facts").await.iter().map(|(_, count)| count).sum()
}

#[tokio::test]
async fn all_results_are_found_with_few_calls() {
    let world = World::start().await;
    let folder = world.client.create_folder(&world.workspace, &NodeId::root(), "processed").await.unwrap();
    // One of the two has the name beside, because somebody else has the other one.
    world.put(&world.other, &folder.id, "beach.tiny.png", b"theirs").await;
    for name in ["beach.jpg", "beach.thumb.png", "other.thumb.webp"] {
        world.put(&world.other, &folder.id, name, b"not a result of this run").await;
    }
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let made = make(&world, &request).await;
    let before = (facts_read(&world).await, world.calls("storage.list").await[0].1);
    assert_eq!(look(&world, &request).await, Some(made));
    // The two results and the one file of a result's name; the root and the output folder.
    assert_eq!(
        (facts_read(&world).await, world.calls("storage.list").await[0].1),
        (before.0 + 3, before.1 + 2)
    );
}

#[tokio::test]
async fn results_of_anything_else_do_not_count() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    assert_eq!(look(&world, &request).await, None, "no folder yet");
    let made = make(&world, &request).await;
    assert_eq!(look(&world, &request).await, Some(made.clone()));
    let but = |change: fn(&mut RunRequest)| {
        let mut other = request.clone();
        change(&mut other);
        other
    };
    for (what, other) in [
        ("another version", but(|run| run.source.version = Some("3other".parse().unwrap()))),
        ("a version that nobody knows", but(|run| run.source.version = None)),
        ("another source", but(|run| run.source.id = "2other".parse().unwrap())),
        ("another pipeline", but(|run| run.plan.pipeline = "media/posters".parse().unwrap())),
        ("another folder", but(|run| run.plan.output = OutputFolder::parse("/elsewhere").unwrap())),
        (
            "another plan",
            but(|run| {
                let mut steps: Vec<Step> = run.plan.steps.iter().cloned().collect();
                steps.truncate(1);
                run.plan.steps = steps.try_into().unwrap();
            }),
        ),
    ] {
        assert_eq!(look(&world, &other).await, None, "{what}");
    }
    // Comments are not part of what was made.
    let other = but(|run| run.plan.success_comment = None);
    assert_eq!(look(&world, &other).await, Some(made));
}

#[tokio::test]
async fn one_missing_result_is_enough() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let made = make(&world, &request).await;
    let tiny: NodeId = made[1].id.as_str().parse().unwrap();
    world.other.delete_node(&world.workspace, &tiny).await.unwrap();
    assert_eq!(look(&world, &request).await, None);
}

#[tokio::test]
async fn an_unknown_version_costs_no_call() {
    let world = World::start().await;
    let mut request = request(&world.source("beach.jpg", b"not looked at").await);
    request.source.version = None;
    assert_eq!(look(&world, &request).await, None);
    assert_eq!(world.calls("storage.list").await, []);
}
