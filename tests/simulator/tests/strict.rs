//! What the service refuses, with the HTTP status and the code that it answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use reqwest::{Method, multipart};
use serde_json::json;
use support::{World, pattern};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const NODE: &str = "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4";
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn bad_calls() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"x").await;
    let storage = "/workspace/{ws}/storage";
    let cases = [
        (Method::GET, "/no/such/route/".to_owned(), 404, 9992),
        (Method::GET, "/user/auth/check".to_owned(), 404, 9992),
        (Method::DELETE, "/user/auth/check/".to_owned(), 404, 9992),
        (Method::PATCH, format!("{storage}/{file}/details/"), 404, 9992),
        (Method::GET, format!("{storage}/root/createfolder/"), 404, 9992),
        (Method::POST, format!("{storage}/{file}/delete/"), 404, 9992),
        (Method::GET, "/upload/batch/".to_owned(), 404, 9992),
        (Method::GET, "/workspace/{ws}/outbound_webhook_subscriptions/".to_owned(), 404, 9992),
        (Method::GET, "/workspace/1234567890123456789/details/".to_owned(), 404, 1609),
        (Method::GET, format!("{storage}/{NODE}/details/"), 404, 133_123),
        (Method::GET, format!("{storage}/{NODE},{NODE}/details/"), 404, 133_123),
        (Method::GET, format!("{storage}/NOT_AN_ID/details/"), 406, 191_878),
        (Method::GET, format!("{storage}/{}/details/", vec![NODE; 26].join(",")), 406, 1605),
        (Method::GET, format!("{storage}/root/list/?page_size=50"), 406, 1605),
        (Method::GET, format!("{storage}/root/list/?sort_by=size"), 406, 1605),
        (Method::GET, format!("{storage}/root/list/?cursor=abc"), 406, 1605),
        (Method::GET, format!("{storage}/{file}/list/"), 406, 1605),
        (Method::GET, format!("{storage}/{file}/details/?output=terse,full"), 406, 1605),
        (Method::GET, format!("{storage}/search/"), 406, 1605),
        (Method::GET, format!("{storage}/{file}/read/?token=nonsense"), 401, 10_011),
        (Method::POST, format!("{storage}/root/createfolder/"), 406, 1605),
        (Method::POST, format!("{storage}/{file}/move/"), 406, 1605),
        (Method::POST, format!("{storage}/{file}/update/"), 406, 1605),
        (Method::POST, format!("{storage}/{file}/copy/"), 406, 1605),
        (Method::POST, format!("{storage}/{file}/transfer/"), 406, 1605),
        (Method::POST, format!("{storage}/{file}/restore-version/"), 406, 1605),
        (Method::POST, format!("{storage}/root/addfile/"), 406, 1605),
        (Method::POST, format!("{storage}/root/addlink/"), 406, 1605),
        (Method::DELETE, format!("{storage}/{file}/lock/"), 406, 1605),
        (Method::DELETE, format!("{storage}/root/delete/"), 406, 1605),
        (Method::GET, "/orgs/list/?limit=501".to_owned(), 406, 207_321),
        (Method::GET, "/events/search/".to_owned(), 406, 10_262),
        (Method::GET, "/events/search/?workspace_id={ws}&limit=251".to_owned(), 406, 207_321),
        (Method::GET, "/org/{org}/events/changes/?cursor=stale".to_owned(), 406, 158_008),
        (Method::GET, "/activity/poll/{ws}/?wait=96".to_owned(), 406, 1605),
        (Method::GET, format!("/comments/workspace/{{ws}}/{file}/?limit=1"), 406, 207_321),
        (Method::POST, format!("/comments/workspace/{{ws}}/{file}/"), 406, 1605),
        (Method::GET, "/upload/5ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4/details/".to_owned(), 404, 1609),
        (Method::POST, "/upload/".to_owned(), 406, 1605),
        (Method::POST, "/workspaces/{ws}/webhooks/".to_owned(), 406, 1605),
    ];
    for (method, path, status, code) in cases {
        let answer = world.send(world.request(method.clone(), &path)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{method} {path}: {}",
            answer.body
        );
        assert_eq!(answer.body["result"], false);
        assert!(answer.headers.contains_key("x-ve-reqid"));
        if status == 406 && code != 10_262 {
            assert!(
                answer.body["error"]["params"][0]["name"].is_string(),
                "{method} {path}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn without_a_known_key_nothing_is_answered() {
    let world = World::new().await;
    let url = world.url("/workspace/{ws}/details/");
    world.send(world.client.get(&url)).await.refused(401, 10_011);
    world.send(world.client.get(&url).bearer_auth("wrong")).await.refused(401, 10_011);
    world.send(world.client.get(&url).header("Authorization", "Basic x")).await.refused(401, 10_011);
    let key = world.control(Method::POST, "/control/api-keys", json!({})).await["key"].clone();
    let key = key.as_str().unwrap();
    world.send(world.client.get(&url).bearer_auth(key)).await.expect(200);
    world.control(Method::DELETE, &format!("/control/api-keys/{key}"), json!({})).await;
    world.send(world.client.get(&url).bearer_auth(key)).await.refused(401, 10_011);
}

#[tokio::test]
async fn there_are_no_webhooks_unless_told_so() {
    let world = World::with(|settings| settings.webhooks = None).await;
    world.get("/workspaces/{ws}/webhooks/").await.refused(404, 9992);
    world.form("/workspaces/{ws}/webhooks/", &[("url", "http://x/")]).await.refused(404, 9992);
}

#[tokio::test]
async fn comments_have_limits() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"x").await;
    let path = format!("/comments/workspace/{{ws}}/{file}/");
    world.json(&path, json!({ "body": "x".repeat(500) })).await.expect(200);
    world.json(&path, json!({ "body": "x".repeat(501) })).await.refused(406, 1605);
    world.json(&path, json!({ "body": 1 })).await.refused(406, 1605);
    world.json(&path, json!({ "body": "x", "target_ids": vec!["1"; 26] })).await.refused(406, 1605);
    let missing = format!("/comments/workspace/{{ws}}/{NODE}/");
    world.json(&missing, json!({ "body": "x" })).await.refused(404, 133_123);
    let made = world.json(&path, json!({ "body": "bye" })).await.expect(200);
    let id = made["comment"]["id"].as_str().unwrap();
    world.json(&format!("/comments/{id}/update/"), json!({ "body": "hello" })).await.expect(200);
    world.delete(&format!("/comments/{id}/delete/")).await.expect(200);
    world.get(&format!("/comments/{id}/details/")).await.refused(404, 1609);
    assert_eq!(world.get(&path).await.expect(200)["comments"].as_array().unwrap().len(), 1);
    let all = world.get(&format!("{path}?include_deleted=true")).await.expect(200);
    assert_eq!(all["comments"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn facts_are_typed_and_written_as_a_whole() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"x").await;
    let path = format!("/workspace/{{ws}}/storage/{file}/metadata/facts/");
    world.json(&path, json!({ "facts": {} })).await.refused(406, 1605);
    world.json(&path, json!({ "facts": [] })).await.refused(406, 1605);
    world.json(&path, json!({ "facts": { "iso": 100 } })).await.expect(200);
    let bad = json!({ "facts": { "camera": "X", "iso": "a hundred" } });
    let error = world.json(&path, bad).await.refused(406, 1605);
    assert_eq!(error["params"][0]["name"], "iso");
    let kept = world.get(&path).await.expect(200);
    assert_eq!((kept["count"].as_u64(), &kept["items"][0]["value"]), (Some(1), &json!(100)));
    world.json(&path, json!({ "facts": { " padded": 1 } })).await.refused(406, 1605);
    assert_eq!(world.json(&path, json!({ "facts": { "iso": null } })).await.expect(200)["count"], 1);
}

#[tokio::test]
async fn uploads_in_one_call_have_limits() {
    let world = World::new().await;
    let send = |form| world.send(world.request(Method::POST, "/upload/").multipart(form));
    let big = vec![0; 4 * MIB + 1];
    send(world.single("a", "root", &big)).await.refused(406, 1605);
    send(world.single("a", "root", &big[1..])).await.expect(200);
    send(world.single("a/b", "root", b"x")).await.refused(406, 1605);
    send(world.single(&"n".repeat(256), "root", b"x")).await.refused(406, 1605);
    send(world.single("a", NODE, b"x")).await.refused(404, 133_123);
    send(world.single("a", "root", b"x").text("hash_algo", "crc32c").text("hash", "00000000"))
        .await
        .refused(406, 10_778);
    send(world.single("a", "root", b"123456789").text("hash_algo", "crc32c").text("hash", "e3069283"))
        .await
        .expect(200);
    let lying = multipart::Form::new()
        .text("name", "a")
        .text("size", "5")
        .text("action", "create")
        .text("instance_id", world.workspace.clone())
        .text("folder_id", "root")
        .part("chunk", multipart::Part::bytes(vec![0; 4]));
    send(lying).await.refused(406, 10_522);
    let empty = world.upload("empty", "root", b"").await;
    let node = world.get(&format!("/workspace/{{ws}}/storage/{empty}/details/")).await.expect(200);
    assert_eq!((node["node"]["size"].as_u64(), &node["node"]["crc32c"]), (Some(0), &json!("00000000")));
}

#[tokio::test]
async fn chunks_are_checked() {
    let world = World::new().await;
    let bytes = pattern(2 * MIB);
    let upload = world.open_session("a.bin", bytes.len()).await;
    let (first, second) = bytes.split_at(MIB);
    world.chunk(&upload, 0, first, "").await.refused(406, 1605);
    world.chunk(&upload, 551, first, "").await.refused(406, 1605);
    world.chunk(&upload, 2, second, "").await.expect(200);
    world.chunk(&upload, 1, &first[1..], "").await.refused(406, 1605);
    world.chunk(&upload, 1, first, "&file_crc32c=00000001").await.expect(200);
    world.chunk(&upload, 1, first, "&file_crc32c=00000002").await.refused(409, 10_779);
    let map = world.get(&format!("/upload/{upload}/chunk/")).await.expect(200);
    assert_eq!(map["chunks"], json!({ "1": MIB, "2": MIB }));
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.refused(406, 10_778);
    let session =
        world.get(&format!("/upload/{upload}/details/?wait=5")).await.expect(200)["session"].clone();
    assert_eq!(session["status"], "assembly_failed");
    assert_eq!(session["integrity_failure"]["expected_crc32c"], "00000001");
    world.chunk(&upload, 1, first, "").await.refused(409, 1660);

    let upload = world.open_session("b.bin", bytes.len()).await;
    world.chunk(&upload, 1, first, "&hash_algo=crc32c&hash=00000000").await.refused(406, 10_778);

    let upload = world.open_session("c.bin", bytes.len()).await;
    world.chunk(&upload, 1, first, "").await.expect(200);
    world.chunk(&upload, 2, second, "").await.expect(200);
    world.delete(&format!("/upload/{upload}/chunk/?order=2")).await.expect(200);
    world.delete(&format!("/upload/{upload}/chunk/?order=2")).await.refused(404, 1609);
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.refused(406, 10_522);

    let upload = world.open_session("d.bin", bytes.len()).await;
    world.delete(&format!("/upload/{upload}/")).await.expect(200);
    world.get(&format!("/upload/{upload}/details/")).await.refused(404, 1609);
}

#[tokio::test]
async fn a_fourth_parallel_chunk_is_refused() {
    let world = World::new().await;
    let upload = world.open_session("a.bin", 8 * MIB).await;
    let url = world.url(&format!("/upload/{upload}/chunk/"));
    let slow = |order: usize| {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
        let body = reqwest::Body::wrap_stream(futures::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|item| (item, receiver))
        }));
        let form = multipart::Form::new().part("chunk", multipart::Part::stream(body).file_name("c"));
        let request = world.client.post(format!("{url}?order={order}&size={MIB}"));
        let request = request.bearer_auth(support::KEY).multipart(form);
        (sender, tokio::spawn(request.send()))
    };
    let open: Vec<_> = (1..=3).map(slow).collect();
    for (sender, _) in &open {
        sender.send(Ok(vec![0; 1024])).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.chunk(&upload, 4, &vec![0; MIB], "").await.refused(429, 1671);
    for (sender, response) in open {
        sender.send(Ok(vec![0; MIB - 1024])).await.unwrap();
        drop(sender);
        assert_eq!(response.await.unwrap().unwrap().status(), 200);
    }
    world.chunk(&upload, 4, &vec![0; MIB], "").await.expect(200);
}

#[tokio::test]
async fn faults_come_and_go() {
    let world = World::new().await;
    let fault = json!({ "kind": "fail", "operation": "upload.create", "workspace": world.workspace,
                        "status": 503, "code": 1234, "reason": "busy", "retry_after": 7, "times": 1 });
    world.control(Method::POST, "/control/faults", fault).await;
    let send =
        || world.send(world.request(Method::POST, "/upload/").multipart(world.single("a", "root", b"x")));
    let failed = send().await;
    assert_eq!(failed.headers["retry-after"], "7");
    assert_eq!(failed.refused(503, 1234)["params"]["reason"], "busy");
    send().await.expect(200);

    let fault = json!({ "kind": "latency", "operation": "workspaces.details", "milliseconds": 300 });
    world.control(Method::POST, "/control/faults", fault).await;
    let started = std::time::Instant::now();
    world.get("/workspace/{ws}/details/").await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    world.control(Method::DELETE, "/control/faults", json!({})).await;
    assert_eq!(world.control(Method::GET, "/control/faults", json!({})).await["faults"], json!({}));

    let calls =
        world.control(Method::GET, &format!("/control/calls?workspace={}", world.workspace), json!({})).await;
    let creates = calls["calls"].as_array().unwrap().iter().find(|call| call["operation"] == "upload.create");
    assert_eq!(creates.unwrap()["count"], 2);
    assert_eq!(creates.unwrap()["statuses"], json!({ "200": 1, "503": 1 }));
    let url = format!("http://{}/control/faults", world.simulator.address());
    let wrong = json!({ "kind": "fail", "operation": "no.such", "status": 503 });
    assert_eq!(world.client.post(url).json(&wrong).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn searches_of_events_are_limited() {
    let world = World::new().await;
    for left in (0..5).rev() {
        let answer = world.get("/events/search/?workspace_id={ws}").await;
        assert_eq!(answer.headers["x-ve-limit-avail"], left.to_string());
        answer.expect(200);
    }
    let answer = world.get("/events/search/?workspace_id={ws}").await;
    let expires: i64 = answer.headers["x-ve-limit-expires"].to_str().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((0..=3).contains(&(expires - i64::try_from(now).unwrap())));
    answer.refused(429, 1671);
    world.get("/workspace/{ws}/details/").await.expect(200);
}

#[tokio::test]
async fn a_client_that_sends_everything_first_can_read_a_refusal() {
    let world = World::new().await;
    let mut connection = TcpStream::connect(world.simulator.address()).await.unwrap();
    let length = 32 * MIB;
    let head = format!("POST /current/upload/ HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![0; length]).await.expect("the connection is not reset");
    let mut status = [0; 12];
    connection.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
}
