//! Faults of calls, as a client sees them that knows nothing but HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    io::ErrorKind,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use reqwest::Method;
use serde_json::json;
use support::{World, pattern};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const MIB: usize = 1024 * 1024;

async fn token(world: &World, file: &str) -> String {
    let path = format!("/workspace/{{ws}}/storage/{file}/requestread/");
    world.get(&path).await.expect(200)["token"].as_str().unwrap().to_owned()
}

/// Reads a file over a bare connection: all that comes, and how the connection ends.
async fn raw_read(world: &World, file: &str) -> (Vec<u8>, std::io::Result<()>) {
    let token = token(world, file).await;
    let path = format!("/current/workspace/{}/storage/{file}/read/?token={token}", world.workspace);
    let mut connection = TcpStream::connect(world.simulator.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let ended = connection.read_to_end(&mut all).await.map(drop);
    (all, ended)
}

fn body_of(answer: &[u8]) -> (&str, &[u8]) {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (std::str::from_utf8(&answer[..head]).unwrap(), &answer[head + 4..])
}

#[tokio::test]
async fn every_status_can_be_had_with_its_code() {
    let world = World::new().await;
    for (status, code) in
        [(500, 0), (502, 0), (503, 146_256), (504, 0), (402, 1688), (403, 10_767), (429, 1671)]
    {
        let fault =
            json!({ "kind": "fail", "operation": "workspaces.details", "status": status, "code": code });
        world.fault(fault).await;
        world.get("/workspace/{ws}/details/").await.refused(status, code);
        world.get("/workspace/{ws}/details/").await.expect(200);
    }
}

#[tokio::test]
async fn limits_end_in_either_form() {
    let world = World::new().await;
    let fault = |form: &str| {
        json!({ "kind": "fail", "operation": "workspaces.details", "status": 429, "code": 1671,
                "limit_expires": 5, "limit_form": form })
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    world.fault(fault("epoch")).await;
    let answer = world.get("/workspace/{ws}/details/").await;
    let expires: u64 = answer.headers["x-ve-limit-expires"].to_str().unwrap().parse().unwrap();
    assert!((now + 4..now + 10).contains(&expires));
    assert_eq!(answer.headers["x-ve-limit-avail"], "0");
    world.fault(fault("date")).await;
    let answer = world.get("/workspace/{ws}/details/").await;
    let expires = answer.headers["x-ve-limit-expires"].to_str().unwrap();
    assert!(expires.starts_with("20") && expires.ends_with(" UTC") && expires.len() == 23, "{expires}");

    let world = World::with(|settings| settings.limit_expires = fastio_simulator::ExpiresForm::Date).await;
    let answer = world.get("/workspace/{ws}/details/").await;
    assert!(answer.headers["x-ve-limit-expires"].to_str().unwrap().ends_with(" UTC"));
}

#[tokio::test]
async fn a_storm_ends_by_itself() {
    let world = World::new().await;
    world.fault(json!({ "kind": "fail", "operation": "*", "status": 429, "for_seconds": 1 })).await;
    let started = Instant::now();
    let mut refused = 0;
    while world.get("/workspace/{ws}/details/").await.status == 429 {
        refused += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        refused > 3 && started.elapsed() >= Duration::from_millis(900),
        "{refused} {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn some_calls_pass_before_the_first_that_fails() {
    let world = World::new().await;
    world.fault(json!({ "kind": "fail", "operation": "workspaces.details", "status": 500, "skip": 2 })).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(world.get("/workspace/{ws}/details/").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 500, 200]);
}

#[tokio::test]
async fn a_connection_is_reset_within_an_answer() {
    let world = World::new().await;
    let file = world.upload("a.bin", "root", &pattern(MIB)).await;
    world.fault(json!({ "kind": "reset", "after_bytes": 100_000 })).await;
    let (answer, ended) = raw_read(&world, &file).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let (head, body) = body_of(&answer);
    assert!(head.contains("content-length: 1048576"), "{head}");
    assert_eq!(body, &pattern(MIB)[..100_000]);
    world.client.get(world.url("/workspace/{ws}/details/")).bearer_auth(support::KEY).send().await.unwrap();
}

#[tokio::test]
async fn a_connection_is_reset_within_an_upload() {
    let world = World::new().await;
    let upload = world.open_session("a.bin", 2 * MIB).await;
    let fault =
        json!({ "kind": "reset", "operation": "upload.chunk", "during": "request", "after_bytes": 500_000 });
    world.fault(fault).await;
    let path = format!("/upload/{upload}/chunk/?order=1&size={}", 2 * MIB);
    let part = reqwest::multipart::Part::bytes(pattern(2 * MIB)).file_name("chunk.bin");
    let form = reqwest::multipart::Form::new().part("chunk", part);
    world.request(Method::POST, &path).multipart(form).send().await.expect_err("the connection is gone");
    world.chunk(&upload, 1, &pattern(2 * MIB), "").await.expect(200);
}

#[tokio::test]
async fn an_answer_is_shorter_than_it_says() {
    let world = World::new().await;
    let file = world.upload("a.bin", "root", &pattern(MIB)).await;
    world.fault(json!({ "kind": "truncate", "after_bytes": 1000 })).await;
    let (answer, ended) = raw_read(&world, &file).await;
    ended.expect("the connection is closed in order");
    let (head, body) = body_of(&answer);
    assert!(head.contains("content-length: 1048576"), "{head}");
    assert_eq!(body.len(), 1000);

    world.fault(json!({ "kind": "truncate", "operation": "workspaces.details", "after_bytes": 10 })).await;
    let answer = world.request(Method::GET, "/workspace/{ws}/details/").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "JSON is cut off too");
}

#[tokio::test]
async fn an_upload_can_be_slow() {
    let world = World::new().await;
    let upload = world.open_session("a.bin", 200_000).await;
    let fault = json!({ "kind": "bandwidth", "operation": "upload.chunk", "bytes_per_second": 400_000 });
    world.fault(fault).await;
    let started = Instant::now();
    world.chunk(&upload, 1, &pattern(200_000), "").await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
    let started = Instant::now();
    world.get("/workspace/{ws}/details/").await.expect(200);
    assert!(started.elapsed() < Duration::from_millis(200), "other calls are not slow");
}

#[tokio::test]
async fn a_cap_that_is_removed_in_the_middle_counts_no_more() {
    let world = World::new().await;
    let file = world.upload("a.bin", "root", &pattern(MIB)).await;
    world.fault(json!({ "kind": "bandwidth", "bytes_per_second": 1000 })).await;
    let path = format!("/workspace/{{ws}}/storage/{file}/read/");
    let mut answer = world.request(Method::GET, &path).send().await.unwrap();
    let first = answer.chunk().await.unwrap().unwrap();
    assert!(first.len() < 1000);
    world.control(Method::DELETE, "/control/faults", json!({})).await;
    let started = Instant::now();
    let rest = answer.bytes().await.unwrap();
    assert_eq!(first.len() + rest.len(), MIB);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn download_tokens_expire() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"x").await;
    world.fault(json!({ "kind": "expire_token" })).await;
    let read = async |token: String| {
        let url = world.url(&format!("/workspace/{{ws}}/storage/{file}/read/?token={token}"));
        world.client.get(url).send().await.unwrap()
    };
    assert_eq!(read(token(&world, &file).await).await.status(), 401);
    let good = read(token(&world, &file).await).await;
    assert_eq!(good.text().await.unwrap(), "x");
}

#[tokio::test]
async fn an_upload_session_is_lost() {
    let world = World::new().await;
    let upload = world.open_session("a.bin", 2 * MIB).await;
    world.fault(json!({ "kind": "lose_session", "skip": 1 })).await;
    world.chunk(&upload, 1, &pattern(MIB), "").await.expect(200);
    world.chunk(&upload, 2, &pattern(MIB), "").await.refused(404, 1609);
    world.get(&format!("/upload/{upload}/details/")).await.refused(404, 1609);
}

#[tokio::test]
async fn an_upload_cannot_be_assembled() {
    let world = World::new().await;
    world.fault(json!({ "kind": "fail_assembly", "message": "disk full" })).await;
    let upload = world.open_session("a.bin", MIB).await;
    world.chunk(&upload, 1, &pattern(MIB), "").await.expect(200);
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
    let session =
        world.get(&format!("/upload/{upload}/details/?wait=10")).await.expect(200)["session"].clone();
    assert_eq!(
        (&session["status"], &session["status_message"]),
        (&json!("assembly_failed"), &json!("disk full"))
    );
    assert!(session["new_file_id"].is_null());
    world.upload("b.bin", "root", b"x").await;
}

#[tokio::test]
async fn answers_can_have_the_older_envelope() {
    let world = World::new().await;
    world.fault(json!({ "kind": "envelope" })).await;
    let answer = world.get("/workspace/{ws}/details/").await;
    assert_eq!(answer.body["result"], "yes");
    assert_eq!(answer.body["response"]["workspace"]["id"], json!(world.workspace));
    let answer = world.get("/workspace/{ws}/storage/root/list/?page_size=7").await;
    assert_eq!((answer.status.as_u16(), &answer.body["result"]), (406, &json!("no")));
    assert!(answer.body["error"]["code"].is_number());
}

#[tokio::test]
async fn a_file_is_replaced_before_it_is_read() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"old").await;
    let path = format!("/workspace/{{ws}}/storage/{file}");
    let before = world.get(&format!("{path}/details/")).await.expect(200)["node"]["version"].clone();
    world.fault(json!({ "kind": "replace_file", "content": "newer" })).await;
    let token = token(&world, &file).await;
    let url = world.url(&format!("{path}/read/?token={token}"));
    assert_eq!(world.client.get(&url).send().await.unwrap().text().await.unwrap(), "newer");
    let node = world.get(&format!("{path}/details/")).await.expect(200)["node"].clone();
    assert_ne!(node["version"], before);
    let pinned = world.client.get(format!("{url}&version_id={}", before.as_str().unwrap()));
    assert_eq!(pinned.send().await.unwrap().text().await.unwrap(), "old");
    let events = world.get("/events/search/?workspace_id={ws}").await.expect(200);
    assert_eq!(events["events"][0]["event"], "workspace_storage_file_updated");
}

#[tokio::test]
async fn a_file_is_replaced_while_it_is_read() {
    let world = World::new().await;
    let file = world.upload("a.bin", "root", &pattern(MIB)).await;
    let path = format!("/workspace/{{ws}}/storage/{file}");
    world.fault(json!({ "kind": "replace_file", "after_bytes": 1000 })).await;
    let answer = world.request(Method::GET, &format!("{path}/read/")).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), pattern(MIB), "the bytes are those of one version");
    let node = world.get(&format!("{path}/details/")).await.expect(200)["node"].clone();
    assert_eq!(node["size"], MIB + 1);
}
