//! What an attacker can do to others, above all from behind the same proxy: every connection here has one address.

use std::time::Duration;

use fastio_receiver::abuse::AbuseLimits;
use fastio_receiver::body::SMALL;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{
    MAX_BODY, PATH, Settings, World, event, post, post_with, read_answer, signature, status, world,
    world_with,
};

fn settings() -> Settings {
    Settings { abuse: AbuseLimits { burst: 5, per_minute: 1 }, ..Settings::default() }
}

#[tokio::test]
async fn who_fails_again_and_again_is_limited_and_signed_deliveries_pass() {
    let world = world_with(settings());
    let unsigned = post(&event("upload", "evt-0")).replace("Fastio-Signature", "X-Signature");
    for n in 0..60 {
        let answer = world.exchange(&unsigned).await;
        assert_eq!(status(&answer), if n < 5 { "401" } else { "429" }, "{n}: {answer}");
        let answer = world.ask(&post(&event("upload", &format!("evt-{n}")))).await;
        assert_eq!(status(&answer), "200", "{n}: {answer}");
    }
    assert_eq!(world.started(), 60);
    assert_eq!(world.metric("addresses_limited_total"), "addresses_limited_total 1");

    // Every kind of refusal takes a token, and none of them is worth an answer of its own any more.
    let good = post(&event("upload", "evt-0"));
    for request in [
        good.replacen(PATH, "/", 1),
        good.replacen("POST", "GET", 1),
        good.replacen("Content-Length", "X: \nContent-Length", 1),
        good.replacen("application/json", "text/plain", 1),
        good.replacen("beach", "peach", 1),
        post_with("{}", "sha256=00", ""),
    ] {
        let answer = world.exchange(&request).await;
        assert_eq!(status(&answer), "429", "{request}\n{answer}");
        assert!(answer.contains("retry-after: ") && answer.contains("connection: close"), "{answer}");
    }

    // Large ones too.
    for (id, length) in [("evt-61", SMALL), ("evt-62", MAX_BODY)] {
        let event = event("upload", id);
        let padded = format!("{event}{}", " ".repeat(length - event.len()));
        let answer = world.ask(&post(&padded)).await;
        assert_eq!(status(&answer), "200", "{answer}");
    }
    assert_eq!(world.started(), 62);
}

/// Opens connections on which a large body has all but arrived.
async fn almost_all_of_large_bodies(world: &World, number: usize) -> Vec<TcpStream> {
    let request = post_with(&"x".repeat(MAX_BODY), &signature("of something else"), "");
    let mut streams = Vec::new();
    for _ in 0..number {
        let mut stream = world.connect().await;
        stream.write_all(&request.as_bytes()[..request.len() - 1]).await.unwrap();
        streams.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    streams
}

#[tokio::test]
async fn large_bodies_from_a_limited_address_cost_others_a_part_of_the_budget() {
    let world = world_with(settings());
    let unsigned = post(&event("upload", "evt-0")).replace("Fastio-Signature", "X-Signature");
    for _ in 0..6 {
        world.exchange(&unsigned).await;
    }
    let _streams = almost_all_of_large_bodies(&world, 40).await;
    assert_eq!(status(&world.ask(&post(&event("upload", "evt-1"))).await), "200");
    let event = event("upload", "evt-2");
    let mut other = world.connect_from([127, 0, 0, 2]).await;
    let large = post(&format!("{event}{}", " ".repeat(MAX_BODY - event.len())));
    other.write_all(large.as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut other).await), "200");
    let crowded = world.metric("webhooks_rejected_total");
    assert!(crowded.contains("crowded"), "their part was never exhausted: {crowded}");
}

#[tokio::test]
async fn what_is_no_http_counts_too() {
    let world = world_with(settings());
    for _ in 0..3 {
        assert_eq!(status(&world.exchange("\u{16}\u{3}\u{1} no HTTP at all\r\n\r\n").await), "400");
        let long = format!("POST {PATH} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
        assert_eq!(status(&world.exchange(&long).await), "431");
    }
    let counted = world.metric("webhooks_rejected_total");
    assert!(counted.contains(r#"{reason="not_http"} 3"#), "{counted}");
    assert!(counted.contains(r#"{reason="head_too_large"} 2"#), "{counted}");
    assert!(counted.contains(r#"{reason="limited"} 1"#), "{counted}");
    assert_eq!(status(&world.ask(&post(&event("upload", "evt-1"))).await), "200");
}

#[tokio::test]
async fn forwarded_headers_are_not_trusted() {
    let world = world_with(settings());
    for n in 0..10 {
        let forwarded = format!("X-Forwarded-For: 192.0.2.{n}\r\nForwarded: for=192.0.2.{n}\r\n");
        let answer = world.exchange(&post_with("{}", "sha256=00", &forwarded)).await;
        assert_eq!(status(&answer), if n < 5 { "401" } else { "429" });
    }
}

#[tokio::test]
async fn taking_all_connections_shuts_nobody_out() {
    let world = world_with(Settings { connections: 16, ..Settings::default() });
    let mut proven = world.connect().await;
    proven.write_all(post(&event("upload", "evt-0")).as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut proven).await), "200");

    let mut idle = Vec::new();
    for n in 1..=40 {
        for _ in 0..20 {
            let mut stream = world.connect().await;
            stream.write_all(b"POST /").await.unwrap();
            idle.push(stream);
        }
        let answer = world.ask(&post(&event("upload", &format!("evt-{n}")))).await;
        assert_eq!(status(&answer), "200", "{n}: {answer}");
    }
    // The connection that has shown that it knows the secret is still there.
    proven.write_all(post(&event("upload", "evt-0")).as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut proven).await), "200");
    assert_eq!(world.started(), 41);
}

#[tokio::test]
async fn large_bodies_that_never_end_leave_room_for_small_ones() {
    let world = world();
    let _streams = almost_all_of_large_bodies(&world, 40).await;
    let answer = world.ask(&post(&event("upload", "evt-1"))).await;
    assert_eq!(status(&answer), "200", "{answer}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let crowded = world.metric("webhooks_rejected_total");
    assert!(crowded.contains("crowded"), "the budget was never exhausted: {crowded}");
}
