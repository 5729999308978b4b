use std::io::Write;

use fastio::{MAX_SMALL_UPLOAD, NodeId};
use fastio_pipeline::results::{FolderPath, OutputFolder};
use serde_json::json;

use super::*;
use crate::world::{World, request};

pub(in crate::transfer) fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file
}

pub(in crate::transfer) fn thumb(request: &RunRequest) -> &Step {
    request.plan.steps.iter().next().unwrap()
}

/// One attempt to upload the result of the first step.
pub(in crate::transfer) async fn attempt(
    client: &Client,
    request: &RunRequest,
    content: &[u8],
    progress: &Progress<Option<Session>>,
) -> Result<ResultFile, UploadError> {
    let output = Output { file: file(content), spool: &tempfile::tempfile };
    upload(client, request, thumb(request), output, progress).await
}

pub(in crate::transfer) async fn send(
    world: &World,
    request: &RunRequest,
    content: &[u8],
) -> Result<ResultFile, UploadError> {
    attempt(&world.client, request, content, &Progress::default()).await
}

async fn run(world: &World) -> RunRequest {
    request(&world.source("beach.jpg", b"not looked at").await)
}

/// More than goes in one call.
pub(in crate::transfer) fn large() -> Vec<u8> {
    (0..u32::try_from(2 * MAX_SMALL_UPLOAD + 1_000_000).unwrap()).map(|n| (n >> 9).to_le_bytes()[0]).collect()
}

#[tokio::test]
async fn a_result_gets_its_folder_its_name_and_its_marker() {
    let world = World::start().await;
    let request = run(&world).await;
    let result = send(&world, &request, b"small").await.unwrap();
    assert_eq!((result.name.as_str(), result.size), ("beach.thumb.webp", 5));
    let node = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    assert_eq!(node.id.as_str(), result.id.as_str());
    let facts = world.client.facts(&world.workspace, &node.id).await.unwrap();
    assert_eq!(facts[super::super::MARKER_SOURCE], request.source.id.as_str());
    assert_eq!(facts[super::super::MARKER_VERSION], request.source.version.as_ref().unwrap().as_str());
    assert_eq!(facts[super::super::MARKER_PIPELINE], "media/photos");
    assert_eq!(facts[super::super::MARKER_PLAN].len(), 32);
}

#[tokio::test]
async fn the_same_result_is_uploaded_once() {
    let world = World::start().await;
    let request = run(&world).await;
    let first = send(&world, &request, b"small").await.unwrap();
    let version = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap().version;
    assert_eq!(send(&world, &request, b"small").await.unwrap(), first);
    assert_eq!(world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap().version, version);
}

#[tokio::test]
async fn our_older_result_is_replaced() {
    let world = World::start().await;
    let request = run(&world).await;
    let first = send(&world, &request, b"older").await.unwrap();
    let second = send(&world, &request, b"newer").await.unwrap();
    assert_eq!(first.id, second.id);
    let folder = world.node_at(&["processed"]).await.unwrap();
    assert_eq!(world.client.list_folder(&world.workspace, &folder.id).await.unwrap().len(), 1);
}

/// The same file with other content: one id, two versions.
async fn two_versions(world: &World) -> [RunRequest; 2] {
    let older = world.source("beach.jpg", b"one").await;
    let newer = world.source("beach.jpg", b"two").await;
    assert_eq!(older.id, newer.id);
    assert_ne!(older.version, newer.version);
    [request(&older), request(&newer)]
}

#[tokio::test]
async fn a_run_that_was_overtaken_leaves_the_newer_result() {
    let world = World::start().await;
    let [older, newer] = two_versions(&world).await;
    let made = send(&world, &newer, b"newer").await.unwrap();
    let before = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    // Whatever its own result would be, what is reported is what is there.
    assert_eq!(send(&world, &older, b"of the older version").await.unwrap(), made);
    assert_eq!(world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap().version, before.version);
}

#[tokio::test]
async fn the_run_of_the_current_version_replaces_an_older_result() {
    let world = World::start().await;
    let [older, newer] = two_versions(&world).await;
    let first = send(&world, &older, b"older").await.unwrap();
    let second = send(&world, &newer, b"the newer").await.unwrap();
    assert_eq!((first.id, second.size), (second.id, 9));
    let node = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    let facts = world.client.facts(&world.workspace, &node.id).await.unwrap();
    assert_eq!(facts[super::super::MARKER_VERSION], newer.source.version.unwrap().as_str());
}

#[tokio::test]
async fn an_upload_that_was_overtaken_is_not_gone_on_with() {
    let world = World::start().await;
    let older = request(&world.source("beach.jpg", b"one").await);
    let content = large();
    let progress = Progress::default();
    let fault = || json!({"kind": "fail", "operation": "upload.chunk", "status": 503, "times": 100});
    world.control("faults", fault()).await;
    let attempt = || attempt(&world.client, &older, &content, &progress);
    assert!(attempt().await.is_err());
    world.no_faults().await;
    let session = progress.get().unwrap();
    let newer = request(&world.source("beach.jpg", b"two").await);
    world.control("faults", fault()).await;
    assert!(attempt().await.is_err());
    assert_eq!(progress.get().unwrap().id, session.id, "nothing newer is there yet");
    world.no_faults().await;
    let made = send(&world, &newer, b"newer").await.unwrap();
    assert_eq!(attempt().await.unwrap(), made);
    assert_eq!(progress.get(), None);
    assert_eq!(world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap().size, Some(5));
}

#[tokio::test]
async fn two_pipelines_of_one_output_folder_do_not_meet() {
    let world = World::start().await;
    let photos = run(&world).await;
    let mut posters = photos.clone();
    posters.plan.pipeline = "media/posters".parse().unwrap();
    let names =
        [send(&world, &photos, b"a").await.unwrap().name, send(&world, &posters, b"b").await.unwrap().name];
    assert_eq!(names[0], "beach.thumb.webp");
    assert_eq!(names[1], result_name_beside("beach.jpg", &posters.source.id, thumb(&posters)));
    assert_eq!(send(&world, &photos, b"a2").await.unwrap().name, names[0]);
    assert_eq!(send(&world, &posters, b"b2").await.unwrap().name, names[1]);
}

#[tokio::test]
async fn somebody_elses_file_is_left_alone() {
    let world = World::start().await;
    let request = run(&world).await;
    let folder = world.other.create_folder(&world.workspace, &NodeId::root(), "processed").await.unwrap();
    let theirs = world.put(&world.other, &folder.id, "beach.thumb.webp", b"theirs").await;
    for _ in 0..2 {
        let result = send(&world, &request, b"ours").await.unwrap();
        assert_eq!(result.name, result_name_beside("beach.jpg", &request.source.id, thumb(&request)));
    }
    assert_eq!(world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap().version, theirs.version);
    assert_eq!(world.client.list_folder(&world.workspace, &folder.id).await.unwrap().len(), 2);
    let beside = result_name_beside("beach.jpg", &request.source.id, thumb(&request));
    world
        .client
        .delete_node(&world.workspace, &world.node_at(&["processed", &beside]).await.unwrap().id)
        .await
        .unwrap();
    world.put(&world.other, &folder.id, &beside, b"theirs too").await;
    let error = send(&world, &request, b"ours").await.unwrap_err();
    assert!(matches!(error, UploadError::NameTaken(_)), "{error}");
}

#[tokio::test]
async fn two_sources_of_one_stem_do_not_meet() {
    let world = World::start().await;
    let jpg = request(&world.source("beach.jpg", b"one").await);
    let png = request(&world.source("beach.png", b"two").await);
    let names = [send(&world, &jpg, b"a").await.unwrap().name, send(&world, &png, b"b").await.unwrap().name];
    assert_ne!(names[0], names[1]);
    assert_eq!(send(&world, &jpg, b"a2").await.unwrap().name, names[0]);
    assert_eq!(send(&world, &png, b"b2").await.unwrap().name, names[1]);
}

#[tokio::test]
async fn a_result_whose_marker_was_not_written_gets_it() {
    let world = World::start().await;
    let request = run(&world).await;
    world.no_markers().await;
    assert!(send(&world, &request, b"small").await.is_err());
    world.no_faults().await;
    let unmarked = world.node_at(&["processed", "beach.thumb.webp"]).await.unwrap();
    let result = send(&world, &request, b"small").await.unwrap();
    assert_eq!((result.id.as_str(), result.name.as_str()), (unmarked.id.as_str(), "beach.thumb.webp"));
    let facts = world.client.facts(&world.workspace, &unmarked.id).await.unwrap();
    assert!(facts.contains_key(super::super::MARKER_SOURCE));
}

#[tokio::test]
async fn a_file_in_the_way_of_the_folder_is_named() {
    let world = World::start().await;
    let request = run(&world).await;
    world.put(&world.other, &NodeId::root(), "processed", b"a file").await;
    let error = send(&world, &request, b"small").await.unwrap_err().to_string();
    assert!(error.contains("\"processed\" in the path of the output folder is not a folder"), "{error}");
}

#[tokio::test]
async fn results_of_a_trashed_file_go_beside_where_it_was() {
    let world = World::start().await;
    let folder = world.client.create_folder(&world.workspace, &NodeId::root(), "photos").await.unwrap();
    let node = world.put(&world.other, &folder.id, "beach.jpg", b"not looked at").await;
    let mut request = request(&world.source("beach.jpg", b"not looked at").await);
    request.source.id = node.id.as_str().parse().unwrap();
    request.source.folder = FolderPath(vec!["photos".to_owned()]);
    request.source.trashed = true;
    request.plan.output = OutputFolder::parse("thumbs").unwrap();
    world.other.delete_node(&world.workspace, &node.id).await.unwrap();
    let first = send(&world, &request, b"small").await.unwrap();
    let made = world.node_at(&["photos", "thumbs", "beach.thumb.webp"]).await.unwrap();
    assert_eq!(made.id.as_str(), first.id.as_str());
    // The folder went away with it: it is made again.
    world.other.delete_node(&world.workspace, &folder.id).await.unwrap();
    send(&world, &request, b"small").await.unwrap();
    assert!(world.node_at(&["photos", "thumbs", "beach.thumb.webp"]).await.is_some());
}
