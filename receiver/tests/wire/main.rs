//! Answers as they are on the wire, by raw TCP: what no HTTP client would send is what has to be tried.

// Clippy knows functions with `#[test]` as tests, and not what they share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod abuse;
mod drain;
mod framing;
mod logs;
mod schemes;
mod world;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastio_pipeline::unusable::KeptBody;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use world::{
    MAX_BODY, PATH, body, chunked, event, post, post_with, read_answer, read_to_end, signature, signature_by,
    status, world,
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
    let other = signature_by("another secret of some length", &event);
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
        (event("workspace.member_added", "evt-1"), r#""status":"unknown event""#),
        (
            r#"{"event":"share_storage_file_added","event_id":"e1","share_id":"6","object_id":"2"}"#
                .to_owned(),
            r#""status":"unknown event""#,
        ),
        (event("upload", "a/b"), r#""status":"unusable""#),
        ("[]".to_owned(), r#""status":"unusable""#),
        (String::new(), r#""status":"unusable""#),
    ] {
        let answer = world.ask(&post(&delivery)).await;
        assert_eq!(status(&answer), "200", "{answer}");
        assert!(body(&answer).contains(expected), "{answer}");
    }
    let kept: Vec<_> = world.engine.kept.lock().unwrap().iter().map(|kept| kept.body.clone()).collect();
    let text = |body: &str| KeptBody::Text(body.to_owned());
    assert_eq!(kept, [text(&event("upload", "a/b")), text("[]"), text("")]);
    world.engine.away.store(true, Ordering::Relaxed);
    let answer = world.ask(&post("[]")).await;
    assert_eq!(status(&answer), "503", "what cannot be kept now has to come again");
    world.engine.away.store(false, Ordering::Relaxed);
    world.engine.refuses.store(true, Ordering::Relaxed);
    let answer = world.ask(&post(&event("upload", "evt-1"))).await;
    assert_eq!(status(&answer), "200");
    assert!(body(&answer).contains("Blob data size exceeds limit."), "{answer}");
    assert_eq!(world.started(), 0);
    let counted = world.metric("webhooks_accepted_total");
    for expected in [
        r#"{result="filtered"} 1"#,
        r#"{result="unknown_event"} 2"#,
        r#"{result="unusable"} 3"#,
        r#"{result="refused"} 1"#,
    ] {
        assert!(counted.contains(expected), "{counted}");
    }
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
        (good.replacen(PATH, &format!("{PATH}?x=1"), 1), "404", "no webhook"),
        (good.replacen("Host:", "Content-Type: text/plain\r\nHost:", 1), "415", "application/json"),
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
    let mut stream = world.connect().await;
    stream.write_all(b"POST /").await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert_eq!(status(&answer), "408", "{answer}");

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
