use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use fastio::signature::{BodyHex, Scheme, SecretEncoding, SigningSecret};
use fastio_service::Health;
use http::HeaderValue;
use hyper::body::Frame;
use prometheus_client::registry::Registry;

use super::*;
use crate::abuse::AbuseLimits;
use crate::places::Places;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Accepts everything.
struct Engine;

impl Starter for Engine {
    async fn start(&self, _: Content<'_>, _: Duration) -> Result<Started, StartError> {
        Ok(Started::New { run_id: None })
    }
}

/// Bytes that tell when they are gone.
struct Watched(Vec<u8>, Arc<AtomicBool>);

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

fn watched(bytes: impl Into<Vec<u8>>) -> (Bytes, Arc<AtomicBool>) {
    let gone = Arc::new(AtomicBool::new(false));
    (Bytes::from_owner(Watched(bytes.into(), Arc::clone(&gone))), gone)
}

/// A body that looks at its head once it is asked for.
struct Late {
    bytes: Option<Bytes>,
    head: [Arc<AtomicBool>; 2],
}

impl Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        assert_eq!(self.head.each_ref().map(|gone| gone.load(Ordering::Relaxed)), [true; 2]);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[tokio::test]
async fn nothing_of_the_head_is_kept_while_its_body_arrives() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("current"), SECRET).unwrap();
    let metrics = Metrics::register(&mut Registry::default());
    let scheme = Scheme::from(BodyHex::default());
    let loaded = Health::new().condition("signing secret loaded");
    let endpoint = Endpoint {
        path: "/hook".to_owned(),
        events: [EventKind::Upload].into(),
        body: BodyLimits::new(1024, Duration::from_secs(1), 1024),
        secrets: Secrets::open(dir.path().to_owned(), scheme.clone(), SecretEncoding::Raw, loaded),
        abuse: Abuse::new(AbuseLimits::default()),
        delivery: Delivery::new(Engine, Duration::from_secs(1), metrics.clone()),
        metrics,
    };
    let body = r#"{"eventType":"upload","workspaceId":"1","fileId":"f","eventId":"e"}"#;
    let signed = scheme.sign(&SigningSecret::new(SECRET).unwrap(), body.as_bytes(), Timestamp::now());
    let signature = signed["fastio-signature"].to_str().unwrap();
    let raw_head = format!(
        "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nFastio-Signature: {signature}\r\n\r\n"
    );
    let (raw_head, raw_gone) = watched(raw_head);
    let (value, value_gone) = watched(signature);
    let request = Request::post("/hook")
        .header("host", "a")
        .header(CONTENT_TYPE, "application/json")
        .header("fastio-signature", HeaderValue::from_maybe_shared(value).unwrap())
        .body(Late { bytes: Some(body.into()), head: [raw_gone, value_gone] })
        .unwrap();
    let place = Places::new(1).take([192, 0, 2, 1].into()).await;
    assert_eq!(endpoint.answer(request, raw_head, &place).await, Answer::Accepted);
}
