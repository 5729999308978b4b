use fastio_pipeline::run::RunRequest;
use serde_json::json;

use super::super::upload::tests::{attempt, large};
use super::*;
use crate::world::{World, request};

#[test]
fn chunks_are_as_small_as_the_plan_lets_them_be() {
    let free = json!({"chunk_size": 100_000_000, "size": 1_000_000_000_u64, "chunks": 35});
    let business = json!({"chunk_size": "100000000", "size": 50_000_000_000_u64, "chunks": 550});
    for (size, plan, chunk) in [
        (5 << 20, None, Some(CHUNK)),
        (1 << 30, None, Some(32 << 20)),
        (MAX_CHUNK as u64 * FEW_CHUNKS, None, Some(MAX_CHUNK as u64)),
        (MAX_CHUNK as u64 * FEW_CHUNKS + 1, None, None),
        (1_000_000_000, Some(&free), Some(28_571_429)),
        (1_000_000_001, Some(&free), None),
        (2 << 30, Some(&business), Some(CHUNK)),
        (50_000_000_000, Some(&business), Some(90_909_091)),
        (50_000_000_001, Some(&business), None),
    ] {
        let limits = plan.map(|plan| serde_json::from_value(plan.clone()).unwrap());
        assert_eq!(chunk_size(size, limits.as_ref()).ok(), chunk, "{size} {plan:?}");
    }
    let refused = chunk_size(3_500_000_000, None).unwrap_err().to_string();
    assert!(refused.contains("3500000000") && refused.contains("3200000000"), "{refused}");
}

#[tokio::test]
async fn only_large_files_are_worth_a_question_about_the_plan() {
    let world = World::start().await;
    let of = async |size| limits(size, &world.client, &world.workspace).await.unwrap();
    assert_eq!(of(CHUNK * FEW_CHUNKS).await, None);
    assert!(of(CHUNK * FEW_CHUNKS + 1).await.unwrap().chunks.unwrap() >= FEW_CHUNKS);
    let gone = json!({"kind": "fail", "operation": "upload.limits", "status": 404, "code": 9992});
    world.control("faults", gone).await;
    assert_eq!(of(1 << 40).await, None, "a service that does not tell");
}

#[tokio::test]
async fn large_results_go_in_chunks_and_go_on_after_a_failure() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let content = large();
    let progress = Progress::default();
    let fault = json!({"kind": "fail", "operation": "upload.chunk", "status": 503, "times": 100});
    let attempt = || attempt(&world.client, &request, &content, &progress);
    // The first attempt opens the session and gets nothing across.
    world.control("faults", fault).await;
    assert!(attempt().await.is_err());
    let session = progress.get().unwrap();
    assert_eq!((session.sent, session.name.as_str()), (0, "beach.thumb.webp"));
    world.no_faults().await;
    // One chunk is there from an attempt that was killed.
    let chunk = usize::try_from(session.chunk).unwrap();
    world.client.put_chunk(&session.id, 1, content[..chunk].to_vec().into()).await.unwrap();
    let before: u64 =
        world.calls("upload.chunk").await.iter().filter(|(status, _)| *status == 200).map(|c| c.1).sum();
    let result = attempt().await.unwrap();
    let after: u64 =
        world.calls("upload.chunk").await.iter().filter(|(status, _)| *status == 200).map(|c| c.1).sum();
    assert_eq!(after - before, 2, "only the chunks that were missing");
    assert_eq!(result.size, content.len() as u64);
    let node = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    assert_eq!(node.hash.unwrap().value, session.content.sha256);
}

#[tokio::test]
async fn a_session_that_is_gone_or_of_another_content_is_opened_anew() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let content = large();
    let progress = Progress::default();
    world
        .control("faults", json!({"kind": "fail", "operation": "upload.chunk", "status": 503, "times": 20}))
        .await;
    assert!(attempt(&world.client, &request, &content, &progress).await.is_err());
    world.no_faults().await;
    let session = progress.get().unwrap();
    world.client.cancel_upload(&session.id).await.unwrap();
    let gone = Progress::new(Some(session.clone()));
    let result = attempt(&world.client, &request, &content, &gone).await.unwrap();
    assert_eq!(result.size, content.len() as u64);

    let mut changed = content.clone();
    changed[0] ^= 1;
    let other = Progress::new(Some(session));
    attempt(&world.client, &request, &changed, &other).await.unwrap();
    let node = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    assert_ne!(node.hash.unwrap().value, gone.get().unwrap().content.sha256);
}

/// Starts an attempt and stops it once the service has taken the session.
async fn stopped_after_completing(
    world: &World,
    request: &RunRequest,
    content: &[u8],
    progress: &Progress<Option<Session>>,
) {
    let completed = async {
        while world.calls("upload.complete").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        ended = attempt(&world.client, request, content, progress) => panic!("{ended:?}"),
        () = completed => {}
    }
}

#[tokio::test]
async fn a_session_that_becomes_a_file_is_waited_for() {
    for knows in [true, false] {
        let world = World::start_with(|settings| settings.upload_step = Duration::from_millis(400)).await;
        let request = request(&world.source("beach.jpg", b"not looked at").await);
        let (content, progress) = (large(), Progress::default());
        stopped_after_completing(&world, &request, &content, &progress).await;
        let session = progress.get().unwrap();
        // The worker may have died before it could tell that the service took it.
        progress.update(|at| *at = Some(Session { complete: knows, ..session.clone() }));
        let status = world.client.upload_status(&session.id, Duration::ZERO).await.unwrap();
        assert_eq!(status, UploadStatus::InProgress, "too late to test anything");
        let result = attempt(&world.client, &request, &content, &progress).await.unwrap();
        assert_eq!(progress.get().unwrap().id, session.id, "the same session");
        assert_eq!(world.calls("upload.cancel").await, []);
        let node = world.node_at(&["processed", &result.name]).await.unwrap();
        assert_eq!(world.client.versions(&world.workspace, &node.id).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_session_that_cannot_become_a_file_is_opened_anew() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let (content, progress) = (large(), Progress::default());
    world.control("faults", json!({"kind": "fail_assembly"})).await;
    let error = attempt(&world.client, &request, &content, &progress).await.unwrap_err();
    assert!(matches!(error, UploadError::NotStored(_)), "{error}");
    assert_eq!(progress.get(), None);
    attempt(&world.client, &request, &content, &progress).await.unwrap();
}

#[tokio::test]
async fn the_file_of_a_small_upload_is_found_by_its_id() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let progress = Progress::default();
    world.no_markers().await;
    assert!(attempt(&world.other, &request, b"small", &progress).await.is_err());
    world.no_faults().await;
    let before = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    // With another user's key, nothing but the id tells that the file is ours.
    let result = attempt(&world.client, &request, b"small", &progress).await.unwrap();
    assert_eq!((result.id.as_str(), result.name.as_str()), (before.id.as_str(), "beach.thumb.webp"));
    let folder = world.node_at(&["processed"]).await.unwrap();
    let files = world.client.list_folder(&world.workspace, &folder.id).await.unwrap();
    assert_eq!((files.len(), &files[0].version), (1, &before.version));
}

#[tokio::test]
async fn a_file_that_was_removed_before_it_had_its_marker_is_made_again() {
    let world = World::start().await;
    let request = request(&world.source("beach.jpg", b"not looked at").await);
    let progress = Progress::default();
    world.no_markers().await;
    assert!(attempt(&world.client, &request, b"small", &progress).await.is_err());
    world.no_faults().await;
    let before = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    world.other.delete_node(&world.workspace, &before.id).await.unwrap();
    let result = attempt(&world.client, &request, b"small", &progress).await.unwrap();
    assert_ne!(result.id.as_str(), before.id.as_str());
}
