//! What must never be in a log.

use std::io;
use std::sync::{Arc, Mutex};

use fastio_receiver::abuse::AbuseLimits;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{SECRET, Settings, event, post, post_with, signature, status, world_with};

const MARK: &str = "a-word-of-the-body";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn neither_secret_nor_signature_nor_body_is_logged() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(lines.clone())
        .finish();
    // The runtime of this test has one thread: the server logs here too.
    let _guard = tracing::subscriber::set_default(subscriber);

    let abuse = AbuseLimits { burst: 8, per_minute: 1 };
    let world = world_with(Settings { abuse, ..Settings::default() });
    let good = event("upload", "evt-1").replacen('{', &format!("{{\"note\":\"{MARK}\","), 1);
    let mut signatures = Vec::new();
    for body in [
        good.clone(),
        good.replace("evt-1", "a/b"),
        good.replace("\"upload\"", "\"workspace.member_added\""),
        good.replace("\"upload\"", "\"delete\""),
        good.replace("\"upload\"", &format!("[\"{MARK}\"]")),
        good.replace("fileId", "file"),
        format!("\"{MARK}\""),
        format!("{MARK}{{"),
        good.replace("beach", "\\ud800"),
    ] {
        signatures.push(signature(&body));
        assert_eq!(status(&world.ask(&post(&body)).await), "200");
    }
    for _ in 0..12 {
        let answer = world.ask(&post_with(&good, &signatures[1], "")).await;
        assert!(matches!(status(&answer), "401" | "429"), "{answer}");
    }
    world.exchange(&format!("{MARK} / HTTP/9\r\n\r\n")).await;

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in ["event accepted", "not a usable event", "delivery refused", "limited"] {
        assert!(logged.contains(expected), "{expected} is not in the log: {logged}");
    }
    for forbidden in
        signatures.iter().map(|signature| signature.trim_start_matches("sha256=")).chain([SECRET, MARK])
    {
        assert!(!logged.contains(forbidden), "{forbidden} is in the log: {logged}");
    }
}
