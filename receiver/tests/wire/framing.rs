//! Messages whose end two implementations could see in different places.

use crate::world::{PATH, body, chunked, event, post, post_with, read_answer, signature, status, world};
use tokio::io::AsyncWriteExt;

fn chunked_with(lines: &str, chunks: &str, event: &str) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: hooks\r\nContent-Type: application/json\r\nFastio-Signature: {}\r\n{lines}\r\n{chunks}",
        signature(event)
    )
}

#[tokio::test]
async fn smuggling_forms_are_refused_and_end_their_connection() {
    let world = world();
    let event = event("upload", "evt-1");
    let signed = signature(&event);
    let good = post(&event);
    let length = event.len();
    let content_length = format!("Content-Length: {length}");
    let whole = format!("{length:x}\r\n{event}\r\n0\r\n\r\n");
    let chunked_line = "Transfer-Encoding: chunked\r\n";
    // A second request behind it, which must never be answered.
    let smuggled = post(&crate::world::event("upload", "evt-smuggled"));
    for (request, expected) in [
        // Two lengths.
        (post_with(&event, &signed, chunked_line), "by Content-Length or by chunked"),
        (good.replacen("Host:", "Transfer-Encoding: chunked\r\nHost:", 1), "by Content-Length or by chunked"),
        (
            good.replacen(&content_length, &format!("{content_length}\r\n{content_length}"), 1),
            "must be given once",
        ),
        (good.replacen(&content_length, &format!("{content_length}\r\nContent-Length: 5"), 1), ""),
        (chunked_with(&format!("{chunked_line}{chunked_line}"), &whole, &event), "must be given once"),
        // One that is read in several ways.
        (good.replacen(&content_length, &format!("Content-Length: {length}, {length}"), 1), ""),
        (good.replacen(&content_length, &format!("Content-Length: +{length}"), 1), ""),
        (good.replacen(&content_length, &format!("Content-Length: {length}\u{b}"), 1), ""),
        (chunked_with("Transfer-Encoding: gzip, chunked\r\n", &whole, &event), "encoding is chunked"),
        (chunked_with("Transfer-Encoding: xchunked\r\n", &whole, &event), ""),
        (chunked_with("Transfer-Encoding: chunked, identity\r\n", &whole, &event), ""),
        (chunked_with("Transfer-Encoding:\u{b}chunked\r\n", &whole, &event), ""),
        (chunked_with(chunked_line, &whole, &event).replacen("HTTP/1.1", "HTTP/1.0", 1), ""),
        // Lines.
        (good.replacen("Host: hooks\r\n", "Host: hooks\n", 1), "CRLF"),
        (good.replacen("HTTP/1.1\r\n", "HTTP/1.1\n", 1), "CRLF"),
        (good.replacen("\r\n\r\n", "\n\n", 1), "CRLF"),
        (good.replacen("Host: hooks\r\n", "Host: hooks\r\n folded\r\n", 1), ""),
        (good.replacen("Host: hooks\r\n", "Host: hooks\rX: y\r\n", 1), ""),
        (good.replacen("Content-Length:", "Content-Length :", 1), ""),
        (good.replacen("Host: hooks\r\n", "", 1), "exactly one Host"),
        (good.replacen("Host: hooks\r\n", "Host: hooks\r\nHost: other\r\n", 1), "exactly one Host"),
    ] {
        let answer = world.exchange(&format!("{request}{smuggled}")).await;
        assert_eq!(status(&answer), "400", "{request}\n{answer}");
        assert!(body(&answer).contains(expected), "{request}\n{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    assert_eq!(world.started(), 0);
}

#[tokio::test]
async fn chunks_are_read_to_the_letter() {
    let world = world();
    let event = event("upload", "evt-1");
    let hex = format!("{:x}", event.len());
    let line = "Transfer-Encoding: chunked\r\n";
    for chunks in [
        format!("{hex}\n{event}\r\n0\r\n\r\n"),
        format!("{hex}\r\n{event}\n0\n\n"),
        format!("{hex}\r\n{event}0\r\n\r\n"),
        format!("0x{hex}\r\n{event}\r\n0\r\n\r\n"),
        format!("-{hex}\r\n{event}\r\n0\r\n\r\n"),
        format!("{hex};a\nb\r\n{event}\r\n0\r\n\r\n"),
        format!("{hex};{}\r\n{event}\r\n0\r\n\r\n", "x".repeat(20_000)),
        format!("ffffffffffffffff\r\n{event}"),
        format!("10000000000000000{hex}\r\n{event}\r\n0\r\n\r\n"),
        format!("{hex}\r\n{event}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(5_000)),
    ] {
        let answer = world.exchange(&chunked_with(line, &chunks, &event)).await;
        let refused = matches!(status(&answer), "400" | "408" | "413");
        assert!(refused, "{}\n{answer}", chunks.get(..99).unwrap_or(&chunks));
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    assert_eq!(world.started(), 0);

    let extension = format!("{hex};name=value\r\n{event}\r\n0\r\nX-Trailer: y\r\n\r\n");
    let answer = world.ask(&chunked_with(line, &extension, &event)).await;
    assert_eq!(status(&answer), "200", "{answer}");
}

#[tokio::test]
async fn what_is_pipelined_is_refused_after_the_first() {
    let world = world();
    let first = post(&event("upload", "evt-1"));
    let second = event("upload", "evt-2");
    for behind in
        ["\u{0}\u{1}garbage\r\n\r\n".to_owned(), post(&second), chunked(&[&second], &signature(&second))]
    {
        let answer = world.exchange(&format!("{first}{behind}")).await;
        assert_eq!(status(&answer), "200");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 2, "{answer}");
        assert!(answer.contains("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(world.started(), 1);

    // A line end behind a body is not a request (RFC 9112 section 2.2).
    let mut stream = world.connect().await;
    for _ in 0..3 {
        stream.write_all(format!("{first}\r\n").as_bytes()).await.unwrap();
        assert_eq!(body(&read_answer(&mut stream).await), r#"{"status":"duplicate"}"#);
    }
}
