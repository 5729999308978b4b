//! Bytes in, bytes out: chunked uploads, ranges, tokens, restarts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};
use support::{World, pattern, settings, start};

const CHUNK: usize = 4 * 1024 * 1024;

async fn upload_chunked(world: &World, name: &str, bytes: &[u8]) -> String {
    let upload = world.open_session(name, bytes.len()).await;
    let whole = format!("{:08x}", crc32c::crc32c(bytes));
    let chunks: Vec<&[u8]> = bytes.chunks(CHUNK).collect();
    for (index, chunk) in chunks.iter().enumerate().rev() {
        let last = index + 1 == chunks.len();
        let declared = if last { format!("&file_crc32c={whole}") } else { String::new() };
        let query = format!("&hash_algo=crc32c&hash={:08x}{declared}", crc32c::crc32c(chunk));
        world.chunk(&upload, index + 1, chunk, &query).await.expect(200);
    }
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
    let node = world.stored(&upload).await;
    world.delete(&format!("/upload/{upload}/")).await.expect(200);
    node
}

#[tokio::test]
async fn twenty_megabytes_there_and_back() {
    let world = World::new().await;
    let bytes = pattern(20_000_000);
    let file = upload_chunked(&world, "film.mp4", &bytes).await;
    let path = format!("/workspace/{{ws}}/storage/{file}");
    let node = world.get(&format!("{path}/details/")).await.expect(200)["node"].clone();
    assert_eq!(node["size"], 20_000_000);
    assert_eq!(node["hash"], hex::encode(Sha256::digest(&bytes)));
    assert_eq!(node["crc32c"], format!("{:08x}", crc32c::crc32c(&bytes)));

    let token = world.get(&format!("{path}/requestread/")).await.expect(200)["token"].clone();
    let token = token.as_str().unwrap();
    let read = world.url(&format!("{path}/read/?token={token}"));
    let response = world.client.get(&read).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], "20000000");
    assert_eq!(response.headers()["content-type"], "video/mp4");
    assert!(response.bytes().await.unwrap() == bytes);

    let response = world.client.get(&read).header("Range", "bytes=19999990-").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.headers()["content-range"], "bytes 19999990-19999999/20000000");
    assert!(response.bytes().await.unwrap() == bytes[19_999_990..]);
    let response = world.client.get(&read).header("Range", "bytes=20000000-").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    let other = world.upload("other.txt", "root", b"other").await;
    let stolen = world.url(&format!("/workspace/{{ws}}/storage/{other}/read/?token={token}"));
    world.send(world.client.get(stolen)).await.refused(403, 1680);
    let bearer = world.request(Method::GET, &format!("/workspace/{{ws}}/storage/{other}/read/"));
    assert_eq!(bearer.send().await.unwrap().text().await.unwrap(), "other");
}

#[tokio::test]
async fn an_old_version_can_still_be_read() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"old").await;
    let path = format!("/workspace/{{ws}}/storage/{file}");
    let old = world.get(&format!("{path}/details/")).await.expect(200)["node"]["version"].clone();
    world.upload("a.txt", "root", b"new").await;
    let read = |query: String| {
        let request = world.request(Method::GET, &format!("{path}/read/{query}"));
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    assert_eq!(read(String::new()).await, "new");
    assert_eq!(read(format!("?version_id={}", old.as_str().unwrap())).await, "old");
    let stale = [("name", "b.txt"), ("if_version_id", old.as_str().unwrap())];
    let error = world.form(&format!("{path}/update/"), &stale).await.refused(409, 1660);
    assert_eq!(error["params"]["reason"], "conflict_version_mismatch");
    world.delete(&format!("{path}/delete/")).await.expect(200);
    assert_eq!(read(String::new()).await, "new", "a file in the trash can be read");
    world.delete(&format!("{path}/purge/")).await.expect(200);
    world.get(&format!("{path}/requestread/")).await.refused(404, 146_950);
}

#[tokio::test]
async fn purged_bytes_are_gone_unless_a_copy_has_them() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"shared bytes").await;
    let path = format!("/workspace/{{ws}}/storage/{file}");
    let blobs = || std::fs::read_dir(world.directory.path().join("blobs")).unwrap().count();
    // The parts of an upload are removed after its end was told.
    let settled = tokio::time::timeout(Duration::from_secs(10), async {
        while blobs() != 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    settled.await.expect("one blob");
    let copied = world.form(&format!("{path}/copy/"), &[("parent", "root")]).await.expect(200);
    let copy = copied["node"]["id"].as_str().unwrap();
    assert_eq!(blobs(), 1, "a copy shares its bytes");
    world.delete(&format!("{path}/delete/")).await.expect(200);
    world.delete(&format!("{path}/purge/")).await.expect(200);
    let read = world.request(Method::GET, &format!("/workspace/{{ws}}/storage/{copy}/read/"));
    assert_eq!(read.send().await.unwrap().text().await.unwrap(), "shared bytes");
    world.delete(&format!("/workspace/{{ws}}/storage/{copy}/delete/")).await.expect(200);
    world.delete("/workspace/{ws}/storage/trash/delete/").await.expect(200);
    assert_eq!(blobs(), 0);
}

#[tokio::test]
async fn a_folder_comes_as_an_archive() {
    let world = World::new().await;
    let folder =
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "in")]).await.expect(200);
    let folder = folder["node"]["id"].as_str().unwrap();
    let bytes = pattern(3_000_000);
    world.upload("film.bin", folder, &bytes).await;
    world.upload("notes.txt", "root", b"notes").await;
    let response =
        world.request(Method::GET, "/workspace/{ws}/storage/root/zip/").send().await.unwrap().bytes().await;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(response.unwrap())).unwrap();
    let mut names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["in/", "in/film.bin", "notes.txt"]);
    let mut film = Vec::new();
    std::io::copy(&mut archive.by_name("in/film.bin").unwrap(), &mut film).unwrap();
    assert!(film == bytes);
}

#[tokio::test]
async fn a_new_version_must_follow_the_one_that_it_was_made_from() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"one").await;
    let path = format!("/workspace/{{ws}}/storage/{file}/details/");
    let first = world.get(&path).await.expect(200)["node"]["version"].clone();
    let update = async |version: &str| {
        let fields = [
            ("size", "3"),
            ("action", "update"),
            ("instance_id", world.workspace.as_str()),
            ("file_id", &file),
            ("if_version_id", version),
        ];
        let upload = world.form("/upload/", &fields).await.expect(200)["id"].as_str().unwrap().to_owned();
        world.chunk(&upload, 1, b"two", "").await.expect(200);
        world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
        world.get(&format!("/upload/{upload}/details/?wait=10")).await.expect(200)["session"].clone()
    };
    assert_eq!(update(first.as_str().unwrap()).await["new_file_id"], json!(file));
    let second = world.get(&path).await.expect(200)["node"]["version"].clone();
    assert_ne!(first, second);
    let stale = update(first.as_str().unwrap()).await;
    let message = format!("CONFLICT_VERSION_MISMATCH:{}", second.as_str().unwrap());
    assert_eq!((&stale["status"], &stale["status_message"]), (&json!("assembly_failed"), &json!(message)));
    assert_eq!(world.get(&path).await.expect(200)["node"]["version"], second);
}

#[tokio::test]
async fn a_locked_file_is_changed_by_its_holder_only() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"one").await;
    let path = format!("/workspace/{{ws}}/storage/{file}");
    let ann = json!({ "key": "ann", "user": "Ann" });
    world.control(Method::POST, "/control/api-keys", ann).await;
    let locked = world.send(world.client.post(world.url(&format!("{path}/lock/"))).bearer_auth("ann")).await;
    let token = locked.expect(200)["lock_token"].clone();

    world.form(&format!("{path}/update/"), &[("name", "b.txt")]).await.refused(409, 1660);
    world.delete(&format!("{path}/delete/")).await.refused(409, 1660);
    let form = world.single("a.txt", "root", b"two");
    let made = world.send(world.request(Method::POST, "/upload/").multipart(form)).await.expect(200);
    let session = format!("/upload/{}/details/?wait=10", made["id"].as_str().unwrap());
    assert_eq!(world.get(&session).await.expect(200)["session"]["status"], "store_failed");
    let read = world.request(Method::GET, &format!("{path}/read/"));
    assert_eq!(read.send().await.unwrap().text().await.unwrap(), "one", "others may read it");

    let release = world.client.delete(world.url(&format!("{path}/lock/"))).bearer_auth("ann");
    world.send(release.form(&[("lock_token", token.as_str().unwrap())])).await.expect(200);
    assert_eq!(world.upload("a.txt", "root", b"two").await, file);
}

#[tokio::test]
async fn ranges_can_be_switched_off() {
    let world = World::with(|settings| settings.ranges = false).await;
    let file = world.upload("a.txt", "root", b"0123456789").await;
    let request = world.request(Method::GET, &format!("/workspace/{{ws}}/storage/{file}/read/"));
    let response = request.header("Range", "bytes=5-").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), "0123456789");
}

#[tokio::test]
async fn the_bandwidth_of_a_download_is_capped() {
    let world = World::new().await;
    let file = world.upload("a.bin", "root", &pattern(100_000)).await;
    let fault = json!({ "kind": "bandwidth", "workspace": world.workspace, "bytes_per_second": 200_000 });
    world.control(Method::POST, "/control/faults", fault).await;
    let started = std::time::Instant::now();
    let request = world.request(Method::GET, &format!("/workspace/{{ws}}/storage/{file}/read/"));
    assert_eq!(request.send().await.unwrap().bytes().await.unwrap().len(), 100_000);
    assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_id_of_a_file_can_come_at_once() {
    let world = World::with(|settings| settings.inline_file_id = true).await;
    let form = world.single("a.txt", "root", b"x");
    let made = world.send(world.request(Method::POST, "/upload/").multipart(form)).await.expect(200);
    let file = made["new_file_id"].as_str().unwrap();
    world.get(&format!("/workspace/{{ws}}/storage/{file}/details/")).await.expect(200);
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let mut world = World::with(|settings| settings.upload_step = Duration::from_mins(10)).await;
    let upload = world.open_session("resumed.bin", 2 * CHUNK).await;
    let bytes = pattern(2 * CHUNK);
    world.chunk(&upload, 1, &bytes[..CHUNK], "").await.expect(200);
    let form = world.single("interrupted.txt", "root", b"kept");
    let interrupted = world.send(world.request(Method::POST, "/upload/").multipart(form)).await.expect(200);
    let interrupted = interrupted["id"].as_str().unwrap();
    let user = world.get("/user/auth/check/").await.expect(200)["id"].clone();

    let blobs = world.directory.path().join("blobs");
    let (orphan, foreign) = (blobs.join("a".repeat(26)), blobs.join("notes.txt"));
    for path in [&orphan, &foreign] {
        std::fs::write(path, b"lost").unwrap();
    }

    // The same directory, without a clean end of the first.
    world.simulator = start(settings(world.directory.path())).await;

    assert!(!orphan.exists() && foreign.exists(), "what a crash has left is removed, and nothing else");
    assert_eq!(world.get("/user/auth/check/").await.expect(200)["id"], user);
    let file = world.stored(interrupted).await;
    let read = world.request(Method::GET, &format!("/workspace/{{ws}}/storage/{file}/read/"));
    assert_eq!(read.send().await.unwrap().text().await.unwrap(), "kept");
    let session = world.get(&format!("/upload/{upload}/details/")).await.expect(200)["session"].clone();
    assert_eq!((&session["status"], &session["chunks"]), (&json!("uploading"), &json!({ "1": CHUNK })));
    world.chunk(&upload, 2, &bytes[CHUNK..], "").await.expect(200);
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
    world.stored(&upload).await;
}
