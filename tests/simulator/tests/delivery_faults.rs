//! Faults of webhook deliveries, as a receiver sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::json;
use support::{
    World,
    receiver::{Receiver, SECRET, deliveries, register, settled},
};

async fn upload_numbered(world: &World, count: usize) {
    for number in 0..count {
        world.upload(&format!("{number}.txt"), "root", b"x").await;
    }
}

#[tokio::test]
async fn dropped_deliveries_are_never_sent() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload").await;
    world.fault(json!({ "kind": "drop_deliveries", "times": 1 })).await;
    world.upload("lost.txt", "root", b"x").await;
    settled(&world, 1).await;
    world.upload("seen.txt", "root", b"x").await;
    let log = settled(&world, 2).await;
    assert_eq!((&log[0]["state"], &log[1]["state"]), (&json!("delivered"), &json!("dropped")));
    assert_eq!(receiver.received.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_seed_drops_the_same_deliveries() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::new().await;
        let (_receiver, url) = Receiver::start(&[]).await;
        register(&world, &url, "upload").await;
        world.fault(json!({ "kind": "drop_deliveries", "probability": 0.5, "seed": 3 })).await;
        upload_numbered(&world, 12).await;
        let log = settled(&world, 12).await;
        runs.push(log.iter().map(|delivery| delivery["state"].clone()).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&json!("dropped")) && runs[0].contains(&json!("delivered")));
}

#[tokio::test]
async fn duplicates_have_the_same_event_id() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload").await;
    world.fault(json!({ "kind": "duplicate_deliveries", "milliseconds": 50 })).await;
    upload_numbered(&world, 2).await;
    let came = receiver.wait_for(3).await;
    let mut counts = BTreeMap::<String, usize>::new();
    for delivery in &came {
        assert!(delivery.is_signed());
        *counts.entry(delivery.json()["fileName"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([("0.txt".to_owned(), 2), ("1.txt".to_owned(), 1)]));
    let log = settled(&world, 3).await;
    assert!(log.iter().any(|delivery| delivery["spoilt"] == json!([{ "kind": "duplicate" }])));
}

#[tokio::test]
async fn reordered_deliveries_overtake_each_other() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload").await;
    world.fault(json!({ "kind": "reorder_deliveries", "window_milliseconds": 400, "times": null })).await;
    upload_numbered(&world, 20).await;
    let order: Vec<u32> = receiver
        .wait_for(20)
        .await
        .iter()
        .map(|delivery| {
            delivery.json()["fileName"].as_str().unwrap().trim_end_matches(".txt").parse().unwrap()
        })
        .collect();
    assert!(!order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn a_delayed_delivery_comes_later() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload").await;
    world.fault(json!({ "kind": "delay_deliveries", "milliseconds": 300 })).await;
    let before = Instant::now();
    world.upload("a.txt", "root", b"x").await;
    let came = receiver.wait_for(1).await;
    assert!(came[0].at - before >= Duration::from_millis(300));
    assert_eq!(came.len(), 1);
}

#[tokio::test]
async fn a_replay_is_signed_long_ago_and_not_tried_again() {
    let world = World::new().await;
    // The first is the delivery, or the replay: one of the two is refused, whichever comes second.
    let (receiver, url) = Receiver::start(&[]).await;
    let fields = json!({ "workspace": world.workspace, "url": url, "secret": SECRET, "scheme": "B",
                         "events": ["upload"] });
    world.control(Method::POST, "/control/webhooks", fields).await;
    world.fault(json!({ "kind": "replay_deliveries", "age_seconds": 600 })).await;
    world.upload("a.txt", "root", b"x").await;
    let mut times: Vec<u64> = receiver
        .wait_for(2)
        .await
        .iter()
        .map(|delivery| {
            let header = delivery.header("fastio-signature");
            header.strip_prefix("t=").unwrap().split_once(',').unwrap().0.parse().unwrap()
        })
        .collect();
    times.sort_unstable();
    assert!((590..=610).contains(&(times[1] - times[0])), "{times:?}");

    let refusals = [StatusCode::UNAUTHORIZED; 2];
    let (receiver, url) = Receiver::start(&refusals).await;
    let world = World::new().await;
    register(&world, &url, "upload").await;
    world.fault(json!({ "kind": "replay_deliveries" })).await;
    world.upload("a.txt", "root", b"x").await;
    receiver.wait_for(3).await;
    let log = settled(&world, 2).await;
    let states: BTreeMap<u64, &str> = log
        .iter()
        .map(|delivery| (delivery["attempts"].as_u64().unwrap(), delivery["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, BTreeMap::from([(1, "failed"), (2, "delivered")]));
}

#[tokio::test]
async fn what_comes_under_three_faults_is_what_the_log_says() {
    let world = World::with(|settings| settings.upload_step = Duration::ZERO).await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload").await;
    world.fault(json!({ "kind": "drop_deliveries", "probability": 0.2, "seed": 1 })).await;
    world.fault(json!({ "kind": "duplicate_deliveries", "probability": 0.3, "seed": 2 })).await;
    world.fault(json!({ "kind": "reorder_deliveries", "window_milliseconds": 200, "times": null })).await;
    upload_numbered(&world, 60).await;
    let mut expected = BTreeMap::<String, usize>::new();
    let waiting = async {
        loop {
            let log = deliveries(&world).await;
            if log.iter().all(|delivery| !delivery["finished"].is_null()) {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let log = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap();
    for delivery in log.iter().filter(|delivery| delivery["state"] == "delivered") {
        *expected.entry(delivery["event_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let mut came = BTreeMap::<String, usize>::new();
    for delivery in receiver.received.lock().unwrap().iter() {
        *came.entry(delivery.json()["eventId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(came, expected);
    let doubled = came.values().filter(|count| **count == 2).count();
    assert!((40..56).contains(&came.len()) && (5..30).contains(&doubled), "{} {doubled}", came.len());
}

#[tokio::test]
async fn spoilt_attempts_are_followed_by_good_ones() {
    for kind in ["tamper_deliveries", "forge_deliveries"] {
        let world = World::new().await;
        let (receiver, url) = Receiver::start(&[StatusCode::UNAUTHORIZED; 2]).await;
        register(&world, &url, "upload").await;
        world.fault(json!({ "kind": kind, "attempts": 2 })).await;
        let file = world.upload("a.txt", "root", b"x").await;
        let came = receiver.wait_for(3).await;
        let signed: Vec<bool> = came.iter().map(support::receiver::Received::is_signed).collect();
        assert_eq!(signed, [false, false, true], "{kind}");
        assert!(came.iter().all(|delivery| delivery.json()["fileId"] == json!(file)));
        let tampered = came[0].body != came[2].body;
        assert_eq!(tampered, kind == "tamper_deliveries");
        settled(&world, 1).await;
    }
}
