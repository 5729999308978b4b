use fastio_pipeline::template::Template;
use serde_json::json;

use super::*;
use crate::world::{World, request};

fn succeeded() -> Outcome {
    Outcome::Succeeded {
        folder: FolderPath(vec!["processed".to_owned()]),
        results: vec!["beach.thumb.webp".to_owned(), "beach.tiny.png".to_owned()],
    }
}

async fn bodies(world: &World, request: &RunRequest) -> Vec<String> {
    let node = request.source.id.as_str().parse().unwrap();
    let comments = world.client.comments(&world.workspace, &node).await.unwrap();
    comments.into_iter().map(|comment| comment.body).collect()
}

#[tokio::test]
async fn a_run_comments_once() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let first = comment(&world.client, &request, &succeeded()).await.unwrap();
    let second = comment(&world.client, &request, &succeeded()).await.unwrap();
    assert!(first.is_some());
    assert_eq!(first, second);
    assert_eq!(bodies(&world, &request).await, ["beach.thumb.webp, beach.tiny.png in /processed"]);
}

#[tokio::test]
async fn another_run_comments_again() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    comment(&world.client, &request, &succeeded()).await.unwrap();
    let sealed_for = serde_json::from_value(json!("fastio:run:media/others:2a:3a")).unwrap();
    let other = RunRequest { workflow_id: sealed_for, ..request.clone() };
    comment(&world.client, &other, &Outcome::Failed { error: "no room".to_owned() }).await.unwrap();
    let mut bodies = bodies(&world, &request).await;
    bodies.sort();
    assert_eq!(bodies, ["beach.thumb.webp, beach.tiny.png in /processed", "failed: no room"]);
}

#[tokio::test]
async fn long_texts_are_cut_and_no_text_is_no_comment() {
    let world = World::start().await;
    let mut request = request(&world.source("beach", b"not looked at").await);
    let failed = Outcome::Failed { error: "ä".repeat(2_000) };
    comment(&world.client, &request, &failed).await.unwrap();
    assert_eq!(bodies(&world, &request).await[0].chars().count(), 500);
    request.plan.success_comment = Some(Template::try_from("{ext}".to_owned()).unwrap());
    assert_eq!(comment(&world.client, &request, &succeeded()).await.unwrap(), None);
    request.plan.success_comment = None;
    assert_eq!(comment(&world.client, &request, &succeeded()).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_is_gone_has_no_comment() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    world.purge(&request.source).await;
    assert_eq!(comment(&world.client, &request, &succeeded()).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_in_the_trash_that_takes_no_comment_has_none() {
    let world = World::start().await;
    let mut request = request(&world.source("beach.jpg", b"not looked at").await);
    for (status, trashed, refused) in [
        (403, false, true),
        (403, true, false),
        (406, true, false),
        (409, true, false),
        // A key that does not work and an outage are not about the file.
        (401, true, true),
        (503, true, true),
    ] {
        request.source.trashed = trashed;
        let fault = json!({"kind": "fail", "operation": "comments.create", "status": status, "times": 20});
        world.control("faults", fault).await;
        let written = comment(&world.client, &request, &succeeded()).await;
        assert_eq!(written.is_err(), refused, "{status} {trashed}: {written:?}");
        assert!(written.ok().flatten().is_none());
        world.no_faults().await;
    }
}
