//! Answers as they are on the wire, by raw TCP: what no HTTP client would send is what has to be tried.

// Clippy knows functions with `#[test]` as tests, and not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod world;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastio::signature::{SigningSecret, sign};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use world::{
    MAX_BODY, PATH, body, chunked, event, post, post_with, read_answer, read_to_end, signature, status,
    world, world_with_secret,
};

#[tokio::test]
async fn a_signed_delivery_is_accepted_once() {
    let world = world();
    let request = post(&event("upload", "evt-1"));
    let answer = world.ask(&request).await;
    assert_eq!((status(&answer), body(&answer)), ("200", r#"{"status":"accepted"}"#));
    let answer = world.ask(&request).await;
    assert_eq!((status(&answer), body(&answer)), ("200", r#"{"status":"duplicate"}"#));
    assert_eq!(world.started(), 1);
}

#[tokio::test]
async fn ipv6_and_ipv4_reach_the_same_port() {
    let world = world();
    let Ok(mut stream) = TcpStream::connect(("::1", world.address.port())).await else {
        // Without IPv6 there is IPv4 alone, which every other test uses.
        assert!(std::net::TcpListener::bind("[::1]:0").is_err());
        return;
    };
    stream.write_all(post(&event("upload", "evt-6")).as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut stream).await), "200");
}

#[tokio::test]
async fn every_signature_problem_has_the_same_answer() {
    let world = world();
    let event = event("upload", "evt-1");
    let good = signature(&event);
    let other = sign(&SigningSecret::new("another secret of some length").unwrap(), event.as_bytes());
    let mut answers = Vec::new();
    for request in [
        post_with(&event, &other, ""),
        post_with(&event.replace("beach", "peach"), &good, ""),
        post_with(&event, "", ""),
        post_with(&event, "sha256=", ""),
        post_with(&event, "sha256=zz", ""),
        post_with(&event, good.trim_start_matches("sha256="), ""),
        post_with(&event, &good[..good.len() - 2], ""),
        post_with(&event, &good, &format!("Fastio-Signature: {good}\r\n")),
        post_with(&event, &good, "").replace("Fastio-Signature", "X-Signature"),
        post_with("not json", &other, ""),
    ] {
        let answer = world.ask(&request).await;
        assert_eq!(status(&answer), "401", "{request}");
        answers.push(body(&answer).to_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(world.started(), 0);
}

#[tokio::test]
async fn signed_deliveries_that_start_nothing_are_acknowledged() {
    let world = world();
    for (delivery, expected) in [
        (event("delete", "evt-1"), "not subscribed to delete events"),
        (event("workspace.member_added", "evt-1"), "is not about a file"),
        (event("upload", "a/b"), r#""status":"unusable""#),
        ("[]".to_owned(), r#""status":"unusable""#),
        (String::new(), r#""status":"unusable""#),
    ] {
        let answer = world.ask(&post(&delivery)).await;
        assert_eq!(status(&answer), "200", "{answer}");
        assert!(body(&answer).contains(expected), "{answer}");
    }
    world.engine.refuses.store(true, Ordering::Relaxed);
    let answer = world.ask(&post(&event("upload", "evt-1"))).await;
    assert_eq!(status(&answer), "200");
    assert!(body(&answer).contains("Blob data size exceeds limit."), "{answer}");
    assert_eq!(world.started(), 0);
}

#[tokio::test]
async fn requests_of_another_shape_are_refused() {
    let world = world();
    let event = event("upload", "evt-1");
    let good = post(&event);
    for (request, expected, text) in [
        (good.replacen(PATH, "/v1/hooks/0b9f/", 1), "404", "no webhook"),
        (good.replacen(PATH, "/", 1), "404", "no webhook"),
        (good.replacen("POST", "GET", 1), "405", "POST"),
        (good.replacen("POST", "PUT", 1), "405", "POST"),
        (good.replacen("application/json", "text/plain", 1), "415", "application/json"),
        (good.replacen("Content-Type: application/json\r\n", "", 1), "415", "application/json"),
        (post_with(&event, &signature(&event), "Content-Encoding: gzip\r\n"), "415", "compressed"),
        (post_with(&event, &signature(&event), "Transfer-Encoding: chunked\r\n"), "400", "ambiguous"),
        (good.replacen("Host:", "Transfer-Encoding: chunked\r\nHost:", 1), "400", "ambiguous"),
        (post_with(&event, &signature(&event), "Content-Length: 5\r\n"), "400", ""),
        (good.replacen("Content-Length: ", "Content-Length: 176\r\nContent-Length: ", 1), "400", "ambiguous"),
        (format!("POST {PATH} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000)), "431", ""),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "none", ""),
        ("\u{16}\u{3}\u{1} no HTTP at all\r\n\r\n".to_owned(), "400", ""),
    ] {
        let answer = world.exchange(&request).await;
        assert_eq!(status(&answer), expected, "{request}\n{answer}");
        assert!(body(&answer).contains(text), "{answer}");
        assert_eq!(expected == "405", answer.contains("allow: POST"), "{answer}");
    }
    let with_charset = good.replacen("application/json", "Application/JSON; charset=utf-8", 1);
    assert_eq!(status(&world.ask(&with_charset).await), "200");
    assert_eq!(world.started(), 1);
}

#[tokio::test]
async fn a_chunked_body_is_as_good_as_any_other() {
    let world = world();
    let event = event("upload", "evt-1");
    let (head, tail) = event.split_at(20);
    let answer = world.ask(&chunked(&[head, tail], &signature(&event))).await;
    assert_eq!(status(&answer), "200", "{answer}");

    // The second request on a connection is seen from its start too.
    let mut stream = world.connect().await;
    for _ in 0..2 {
        stream.write_all(chunked(&[head, tail], &signature(&event)).as_bytes()).await.unwrap();
        assert_eq!(body(&read_answer(&mut stream).await), r#"{"status":"duplicate"}"#);
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_however_they_come() {
    let world = world();
    let large = "x".repeat(MAX_BODY + 1);
    let announced = world.exchange(&post(&large)).await;
    assert_eq!(status(&announced), "413", "{announced}");

    let chunk = "x".repeat(64 * 1024);
    let streamed = world.exchange(&chunked(&[&chunk, &chunk, &chunk, &chunk, "x"], &signature(&large))).await;
    assert_eq!(status(&streamed), "413", "{streamed}");
    assert!(streamed.contains("connection: close"));

    let largest = "x".repeat(MAX_BODY);
    assert_eq!(status(&world.ask(&post(&largest)).await), "200");

    // An unsigned body is not even read.
    let unsigned = post(&large).replace("Fastio-Signature", "X-Signature");
    assert_eq!(status(&world.exchange(&unsigned).await), "401");
}

#[tokio::test]
async fn slow_heads_and_bodies_and_idle_connections_end() {
    let world = world();
    let request = post(&event("upload", "evt-1"));

    // A head, one byte at a time: the limit is on the whole head.
    let mut stream = world.connect().await;
    let begun = Instant::now();
    let mut sent = 0;
    for byte in request.bytes() {
        if stream.write_all(&[byte]).await.is_err() || begun.elapsed() > Duration::from_secs(2) {
            break;
        }
        sent += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(sent < 30, "the connection was still open after {sent} bytes");

    // A body that stops.
    let begun = Instant::now();
    let answer = world.exchange(&request[..request.len() - 1]).await;
    assert_eq!(status(&answer), "408", "{answer}");
    assert!(begun.elapsed() < Duration::from_millis(1700), "{:?}", begun.elapsed());

    // Nothing at all, and nothing any more.
    let begun = Instant::now();
    assert_eq!(world.exchange("").await, "");
    assert!(begun.elapsed() >= Duration::from_millis(850), "{:?}", begun.elapsed());
    let answer = world.exchange(&request).await;
    assert_eq!(status(&answer), "200");
    assert_eq!(world.started(), 1);
}

#[tokio::test]
async fn pipelined_garbage_costs_only_its_own_connection() {
    let world = world();
    let first = post(&event("upload", "evt-1"));
    let answer = world.exchange(&format!("{first}\u{0}\u{1}garbage\r\n\r\n")).await;
    assert_eq!(status(&answer), "200");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 2, "{answer}");
    assert!(answer.contains("HTTP/1.1 400"), "{answer}");

    // Two good ones in one packet are two answers; a chunked one is refused where its head was not seen.
    let second = post(&event("upload", "evt-2"));
    let third = chunked(&[&event("upload", "evt-3")], &signature(&event("upload", "evt-3")));
    let answer = world.exchange(&format!("{first}{second}{third}")).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    assert_eq!(world.started(), 2);
}

#[tokio::test]
async fn while_temporal_is_away_the_answer_is_503_and_it_comes_in_time() {
    let world = world();
    world.engine.away.store(true, Ordering::Relaxed);
    for n in 0..10 {
        let begun = Instant::now();
        let answer = world.ask(&post(&event("upload", &format!("evt-{n}")))).await;
        assert_eq!(status(&answer), "503");
        assert!(answer.contains("retry-after: 2\r\n"), "{answer}");
        assert!(begun.elapsed() < Duration::from_millis(500));
    }
    world.engine.away.store(false, Ordering::Relaxed);
    assert_eq!(status(&world.ask(&post(&event("upload", "evt-1"))).await), "200");

    world.engine.delay_ms.store(60_000, Ordering::Relaxed);
    let begun = Instant::now();
    assert_eq!(status(&world.ask(&post(&event("upload", "evt-2"))).await), "503");
    assert!(begun.elapsed() < Duration::from_millis(1900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn without_a_secret_nothing_is_accepted() {
    for secret in ["", "short"] {
        let world = world_with_secret(secret);
        let event = event("upload", "evt-1");
        let answer = world.ask(&post(&event)).await;
        assert_eq!(status(&answer), "503", "{answer}");
        assert!(answer.contains("retry-after: 2\r\n"), "{answer}");
        assert_eq!(world.started(), 0);
        drop(world.secrets);
    }
}

#[tokio::test]
async fn a_stop_loses_nothing_and_refuses_nothing() {
    let world = world();
    world.engine.delay_ms.store(400, Ordering::Relaxed);
    let mut under_way = world.connect().await;
    under_way.write_all(post(&event("upload", "evt-1")).as_bytes()).await.unwrap();
    let mut idle = world.connect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.stop.cancel();

    // Nodes that have not heard yet still send new connections.
    let late = world.exchange(&post(&event("upload", "evt-2"))).await;
    assert_eq!(status(&late), "200", "{late}");
    assert!(late.contains("connection: close"), "{late}");
    let answer = read_to_end(&mut under_way).await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert_eq!(read_to_end(&mut idle).await, "");

    let begun = Instant::now();
    tokio::time::timeout(Duration::from_secs(2), world.server).await.expect("an end").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(world.address).await.is_err());
}
