//! Endpoints that only the control API knows: signatures, payloads, suspension, load.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{StreamExt as _, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{
    World,
    receiver::{Receiver, SECRET, deliveries, hmac_sha256, settled},
};

/// Makes an endpoint for all events.
async fn endpoint(world: &World, url: &str, mut fields: Value) -> Value {
    fields["workspace"] = json!(world.workspace);
    fields["url"] = json!(url);
    if fields["secret"].is_null() {
        fields["secret"] = json!(SECRET);
    }
    world.control(Method::POST, "/control/webhooks", fields).await
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn the_signature_over_time_and_body_in_one_header() {
    let world = World::with(|settings| settings.webhooks = None).await;
    let (receiver, url) = Receiver::start(&[]).await;
    endpoint(&world, &url, json!({ "scheme": "stamped-base64", "header": "X-Signed" })).await;
    world.upload("a.txt", "root", b"x").await;
    let delivery = receiver.wait_for(1).await.remove(0);
    let (seconds, signature) =
        delivery.header("x-signed").strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert!(now() - seconds.parse::<u64>().unwrap() < 10);
    let signed = [seconds.as_bytes(), b".", &delivery.body].concat();
    assert_eq!(STANDARD.decode(signature).unwrap(), hmac_sha256(SECRET.as_bytes(), &signed));
}

#[tokio::test]
async fn the_signature_over_time_and_body_in_two_headers() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let key = b"sixteen bytes 16";
    let fields = json!({ "scheme": "C", "secret": format!("whsec_{}", STANDARD.encode(key)),
                         "secret_encoding": "whsec", "timestamp_header": "X-Time" });
    endpoint(&world, &url, fields).await;
    world.upload("a.txt", "root", b"x").await;
    let delivery = receiver.wait_for(1).await.remove(0);
    let signed = [delivery.header("x-time").as_bytes(), b".", &delivery.body].concat();
    let expected = format!("sha256={}", hex::encode(hmac_sha256(key, &signed)));
    assert_eq!(delivery.header("x-fastio-signature"), expected);
}

#[tokio::test]
async fn payloads_can_be_those_of_the_events_api() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    endpoint(&world, &url, json!({ "payload": "events" })).await;
    let file = world.upload("a.txt", "root", b"x").await;
    let payload = receiver.wait_for(1).await[0].json();
    let found = world.get("/events/search/?workspace_id={ws}").await.expect(200)["events"][0].clone();
    for key in
        ["event_id", "event", "category", "sub_category", "created", "workspace_id", "org_id", "object_id"]
    {
        assert_eq!(payload[key], found[key], "{key} of {payload}");
    }
    assert_eq!(payload["event"], "workspace_storage_file_added");
    assert_eq!(payload["object_id"], json!(file));
}

#[tokio::test]
async fn events_can_have_the_names_of_the_articles() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    endpoint(&world, &url, json!({ "event_names": "dotted", "events": ["upload", "delete"] })).await;
    let file = world.upload("a.txt", "root", b"x").await;
    world.delete(&format!("/workspace/{{ws}}/storage/{file}/delete/")).await.expect(200);
    let names: BTreeSet<String> = receiver
        .wait_for(2)
        .await
        .iter()
        .map(|delivery| delivery.json()["eventType"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, BTreeSet::from(["file.deleted".to_owned(), "file.uploaded".to_owned()]));
}

#[tokio::test]
async fn an_endpoint_can_be_changed_and_removed() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let made = endpoint(&world, "http://127.0.0.1:9/", json!({ "events": ["upload"] })).await;
    let path = format!("/control/webhooks/{}", made["id"].as_str().unwrap());
    let fields = json!({ "url": url, "secret": "another secret", "scheme": "B" });
    let changed = world.control(Method::POST, &path, fields).await;
    assert_eq!((&changed["scheme"], &changed["events"]), (&json!("stamped-base64"), &json!(["upload"])));
    world.upload("a.txt", "root", b"x").await;
    receiver.wait_for(1).await;
    world.control(Method::DELETE, &path, json!({})).await;
    world.upload("b.txt", "root", b"x").await;
    settled(&world, 1).await;
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_is_refused_by_name() {
    let world = World::new().await;
    let base = json!({ "workspace": world.workspace, "url": "http://127.0.0.1:9/", "secret": "xyz" });
    for (change, said) in [
        (json!({ "url": "ftp://x/" }), "`url` must be"),
        (json!({ "secret": "" }), "`secret` is empty"),
        (json!({ "secret_encoding": "hex" }), "`secret` is not hexadecimal"),
        (json!({ "header": "a b" }), "`header` is not"),
        (json!({ "events": ["uploads"] }), "`events`: unknown event type"),
        (json!({ "scheme": "md5" }), "unknown variant `md5`"),
        (json!({ "workspace": "1" }), "no such workspace"),
        (json!({ "colour": "red" }), "unknown field `colour`"),
    ] {
        let mut fields = base.clone();
        fields.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let url = format!("http://{}/control/webhooks", world.simulator.address());
        let answer = world.client.post(url).json(&fields).send().await.unwrap();
        assert!(matches!(answer.status(), StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND));
        let text = answer.text().await.unwrap();
        assert!(text.contains(said), "{change}: {text}");
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_all_the_time_is_suspended() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[StatusCode::INTERNAL_SERVER_ERROR; 3]).await;
    let made = endpoint(&world, &url, json!({ "suspend_after": 3, "events": ["upload"] })).await;
    world.upload("a.txt", "root", b"x").await;
    let log = settled(&world, 1).await;
    assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&json!("cancelled"), &json!(3)));
    let path = format!("/control/webhooks?workspace={}", world.workspace);
    let seen = world.control(Method::GET, &path, json!({})).await["webhooks"][0].clone();
    assert_eq!((&seen["enabled"], &seen["failures"]), (&json!(false), &json!(3)));
    world.upload("b.txt", "root", b"x").await;
    let path = format!("/control/webhooks/{}", made["id"].as_str().unwrap());
    world.control(Method::POST, &path, json!({ "enabled": true })).await;
    world.upload("c.txt", "root", b"x").await;
    let log = settled(&world, 2).await;
    assert_eq!(log[0]["state"], "delivered", "and nothing is sent for the time between: {log:?}");
    assert_eq!(receiver.received.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_delivery_is_given_up_when_it_is_too_old() {
    let world = World::with(|settings| settings.webhook_give_up = Duration::from_millis(100)).await;
    endpoint(&world, "http://127.0.0.1:9/", json!({ "events": ["upload"] })).await;
    world.upload("a.txt", "root", b"x").await;
    let log = settled(&world, 1).await;
    assert_eq!(log[0]["state"], "failed");
    assert!(log[0]["attempts"].as_u64() >= Some(3), "{}", log[0]);
    assert!(log[0]["last_error"].as_str().unwrap().contains("refused"), "{}", log[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_deliveries_at_once_take_few_connections() {
    let world = World::with(|settings| {
        settings.upload_step = Duration::ZERO;
        settings.inline_file_id = true;
        settings.webhook_timeout = Duration::from_secs(10);
    })
    .await;
    let (receiver, url) = Receiver::start(&[]).await;
    endpoint(&world, &url, json!({ "events": ["upload"] })).await;
    stream::iter(0..1000)
        .for_each_concurrent(32, async |number: u32| {
            let form = world.single(&format!("{number}.txt"), "root", b"x");
            world.send(world.request(Method::POST, "/upload/").multipart(form)).await.expect(200);
        })
        .await;
    let uploaded = Instant::now();
    let came = receiver.wait_for(1000).await;
    let waited = uploaded.elapsed();
    let events: BTreeSet<String> =
        came.iter().map(|delivery| delivery.json()["eventId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(events.len(), 1000);
    assert!(waited < Duration::from_secs(2), "the last came {waited:?} after the last upload");
    let peers: BTreeSet<_> = came.iter().map(|delivery| delivery.peer).collect();
    assert!(peers.len() <= 32, "{} connections", peers.len());
    assert!(deliveries(&world).await.iter().all(|delivery| delivery["attempts"] == 1));
}
