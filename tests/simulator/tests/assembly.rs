//! How a session ends: completed twice, cancelled on the way, without its bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use support::{World, pattern};

const CHUNK: usize = 4 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_completed_twice_at_once_becomes_one_version() {
    let world = World::new().await;
    for round in 0..20 {
        let upload = world.open_session(&format!("{round}.bin"), 3).await;
        world.chunk(&upload, 1, b"abc", "").await.expect(200);
        let path = format!("/upload/{upload}/complete/");
        let calls = (0..8).map(|_| {
            let request = world.request(Method::POST, &path);
            tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
        });
        let mut statuses = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            statuses.push(call.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [&[202][..], &[409; 7]].concat(), "round {round}");
        let file = world.stored(&upload).await;
        let versions = world.get(&format!("/workspace/{{ws}}/storage/{file}/versions/")).await.expect(200);
        assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_upload_whose_bytes_are_lost_fails_and_leaves_nothing() {
    let world = World::with(|settings| settings.upload_step = Duration::from_millis(200)).await;
    let upload = world.open_session("a.bin", CHUNK).await;
    world.chunk(&upload, 1, &pattern(CHUNK), "").await.expect(200);
    let blobs = || std::fs::read_dir(world.directory.path().join("blobs")).unwrap();
    for blob in blobs() {
        std::fs::remove_file(blob.unwrap().path()).unwrap();
    }
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
    let session =
        world.get(&format!("/upload/{upload}/details/?wait=10")).await.expect(200)["session"].clone();
    assert_eq!((&session["status"], session["new_file_id"].is_null()), (&json!("assembly_failed"), true));

    world.fault(json!({ "kind": "fail_assembly" })).await;
    let upload = world.open_session("b.bin", CHUNK).await;
    world.chunk(&upload, 1, &pattern(CHUNK), "").await.expect(200);
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
    world.get(&format!("/upload/{upload}/details/?wait=10")).await.expect(200);
    let gone = tokio::time::timeout(Duration::from_secs(10), async {
        while blobs().count() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    gone.await.expect("neither the parts nor the whole are kept");
}

#[tokio::test]
async fn a_session_that_is_cancelled_while_it_is_assembled_stays_cancelled() {
    let world = World::with(|settings| settings.upload_step = Duration::from_millis(100)).await;
    for wait in [50, 150] {
        let upload = world.open_session("a.bin", 3).await;
        world.chunk(&upload, 1, b"abc", "").await.expect(200);
        world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        world.delete(&format!("/upload/{upload}/")).await.expect(200);
        tokio::time::sleep(Duration::from_millis(250)).await;
        world.get(&format!("/upload/{upload}/details/")).await.refused(404, 1609);
        let list = world.get("/workspace/{ws}/storage/root/list/").await.expect(200);
        assert_eq!(list["nodes"]["count"], 0);
    }
}
