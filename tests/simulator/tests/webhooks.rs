//! The guide's webhooks: registration, signature, retries.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use support::{
    World,
    receiver::{Receiver, SECRET, deliveries, register, settled},
    settings, start,
};
use tokio::{net::TcpListener, time::timeout};

#[tokio::test]
async fn registrations_can_be_made_seen_changed_and_removed() {
    let world = World::new().await;
    let id = register(&world, "http://127.0.0.1:9/hook", "upload, delete").await;
    let seen = world.get(&format!("/workspaces/{{ws}}/webhooks/{id}/")).await.expect(200)["webhook"].clone();
    assert_eq!(seen["events"], json!(["upload", "delete"]));
    assert_eq!((&seen["enabled"], seen.get("secret")), (&json!(true), None));
    let path = format!("/workspaces/{{ws}}/webhooks/{id}/");
    let changed = world.form(&path, &[("events", "move"), ("enabled", "false")]).await.expect(200);
    assert_eq!(
        (&changed["webhook"]["events"], &changed["webhook"]["enabled"]),
        (&json!(["move"]), &json!(false))
    );
    world.form(&path, &[("events", "file.uploaded")]).await.refused(406, 1605);
    world.form(&path, &[("url", "ftp://x/")]).await.refused(406, 1605);
    assert_eq!(
        world.get("/workspaces/{ws}/webhooks/").await.expect(200)["webhooks"].as_array().unwrap().len(),
        1
    );
    let shown = world.control(Method::GET, "/control/webhooks", json!({})).await;
    assert_eq!(shown["webhooks"][0]["secret"], SECRET);
    world.delete(&path).await.expect(200);
    world.get(&path).await.refused(404, 1609);
}

#[tokio::test]
async fn a_delivery_is_signed_and_in_the_form_of_the_guide() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload,modify,move,delete").await;
    let file = world.upload("photo.jpg", "root", b"12345").await;
    let delivery = receiver.wait_for(1).await.remove(0);
    assert!(delivery.is_signed());
    assert_eq!(delivery.header("content-type"), "application/json");
    let payload = delivery.json();
    let fields = json!({ "eventType": "upload", "workspaceId": world.workspace, "fileId": file,
                         "fileName": "photo.jpg", "fileSize": 5 });
    for (key, value) in fields.as_object().unwrap() {
        assert_eq!(&payload[key], value, "{payload}");
    }
    assert!(payload["eventId"].as_str().unwrap().starts_with("evt-"));
    assert!(payload["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(payload["userId"].is_string());

    let folder =
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "in")]).await.expect(200);
    let folder = folder["node"]["id"].as_str().unwrap();
    let path = format!("/workspace/{{ws}}/storage/{file}");
    world.upload("photo.jpg", "root", b"1234567").await;
    world.form(&format!("{path}/move/"), &[("parent", folder)]).await.expect(200);
    world.get(&format!("{path}/requestread/")).await.expect(200);
    world.delete(&format!("{path}/delete/")).await.expect(200);
    let mut log = settled(&world, 4).await;
    log.reverse();
    let kinds: Vec<&str> = log.iter().map(|delivery| delivery["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["upload", "modify", "move", "delete"], "folders and unsubscribed events are not sent");
}

#[tokio::test]
async fn a_delivery_is_tried_again_with_the_same_id_until_it_is_taken() {
    // Only the `Retry-After` of the receiver can make it come in time.
    let world = World::with(|settings| settings.webhook_retry_base = Duration::from_mins(1)).await;
    let refusals = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::UNAUTHORIZED];
    let (receiver, url) = Receiver::start(&refusals).await;
    register(&world, &url, "upload").await;
    world.upload("a.txt", "root", b"x").await;
    let attempts = receiver.wait_for(3).await;
    assert!(attempts.iter().all(|attempt| attempt.body == attempts[0].body), "the bytes stay the same");
    let log = settled(&world, 1).await;
    assert_eq!((&log[0]["state"], &log[0]["attempts"]), (&json!("delivered"), &json!(3)));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_up_nobody_else() {
    let world = World::new().await;
    // Accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &format!("http://{}/", silent.local_addr().unwrap()), "upload").await;
    register(&world, &url, "upload").await;
    for number in 0..50 {
        world.upload(&format!("{number}.txt"), "root", b"x").await;
    }
    receiver.wait_for(50).await;
    let waiting = deliveries(&world).await.iter().filter(|delivery| delivery["finished"].is_null()).count();
    assert_eq!(waiting, 50, "those for the silent receiver go on");
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_what_it_missed() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    register(&world, &format!("http://{address}/hook"), "upload").await;
    world.upload("a.txt", "root", b"x").await;
    let waiting = async {
        while deliveries(&world).await[0]["attempts"].as_u64() < Some(2) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.unwrap();
    let (receiver, _) = Receiver::listen(TcpListener::bind(address).await.unwrap(), &[]);
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn a_delivery_that_a_crash_interrupts_is_sent_again() {
    let mut world = World::with(|settings| settings.webhook_timeout = Duration::from_mins(10)).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    register(&world, &format!("http://{}/", silent.local_addr().unwrap()), "upload").await;
    world.upload("a.txt", "root", b"x").await;
    let _first = timeout(Duration::from_secs(10), silent.accept()).await.unwrap().unwrap();
    assert_eq!(deliveries(&world).await[0]["state"], "sending");
    world.simulator = start(settings(world.directory.path())).await;
    let _second =
        timeout(Duration::from_secs(10), silent.accept()).await.expect("it was sent again").unwrap();
}
