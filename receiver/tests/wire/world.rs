//! A running receiver whose Temporal is a stand-in, and the two sides of a raw connection to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastio::signature::{BodyHex, Scheme, SecretEncoding, SigningSecret};
use fastio_pipeline::event::EventKind;
use fastio_pipeline::unusable::UnusableDelivery;
use fastio_receiver::abuse::{Abuse, AbuseLimits};
use fastio_receiver::body::BodyLimits;
use fastio_receiver::deliver::{Content, Delivery, Starter};
use fastio_receiver::metrics::Metrics;
use fastio_receiver::request::Endpoint;
use fastio_receiver::secret::Secrets;
use fastio_receiver::server::{Limits, serve};
use fastio_receiver::wire::WireLimits;
use fastio_service::Health;
use fastio_service::listen;
use fastio_temporal::start::{StartError, Started};
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const PATH: &str = "/v1/hooks/0b9f";
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// Remembers what it started; can be slow, away, or refuse everything.
#[derive(Clone, Default)]
pub(crate) struct Engine {
    pub(crate) started: Arc<Mutex<Vec<String>>>,
    pub(crate) kept: Arc<Mutex<Vec<UnusableDelivery>>>,
    pub(crate) away: Arc<AtomicBool>,
    pub(crate) refuses: Arc<AtomicBool>,
    pub(crate) delay_ms: Arc<AtomicUsize>,
}

impl Starter for Engine {
    async fn start(&self, content: Content<'_>, _: Duration) -> Result<Started, StartError> {
        tokio::time::sleep(Duration::from_millis(self.delay_ms.load(Ordering::Relaxed) as u64)).await;
        if self.away.load(Ordering::Relaxed) {
            return Err(StartError::Unavailable("connection refused".to_owned()));
        }
        let event = match content {
            Content::Event(event) => event,
            Content::Unusable(delivery) => {
                self.kept.lock().unwrap().push(delivery.clone());
                return Ok(Started::New { run_id: None });
            }
        };
        if self.refuses.load(Ordering::Relaxed) {
            return Err(StartError::Refused("Blob data size exceeds limit.".to_owned()));
        }
        let mut started = self.started.lock().unwrap();
        if started.contains(&event.id.to_string()) {
            return Ok(Started::Duplicate { run_id: None });
        }
        started.push(event.id.to_string());
        Ok(Started::New { run_id: None })
    }
}

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    pub(crate) stop: CancellationToken,
    pub(crate) server: JoinHandle<()>,
    pub(crate) registry: Registry,
    _secrets: tempfile::TempDir,
}

/// What a test wants differently.
pub(crate) struct Settings {
    pub(crate) secret: &'static str,
    pub(crate) encoding: SecretEncoding,
    pub(crate) scheme: Scheme,
    pub(crate) connections: usize,
    pub(crate) lame_duck: Duration,
    pub(crate) abuse: AbuseLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            secret: SECRET,
            encoding: SecretEncoding::Raw,
            scheme: BodyHex::default().into(),
            connections: 64,
            lame_duck: Duration::from_millis(200),
            // Tests of other things fail often, and all from one address.
            abuse: AbuseLimits { burst: 1_000_000, per_minute: 1_000_000 },
        }
    }
}

pub(crate) fn world_with(settings: Settings) -> World {
    let secrets = tempfile::tempdir().unwrap();
    std::fs::write(secrets.path().join("current"), settings.secret).unwrap();
    let engine = Engine::default();
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let loaded = Health::new().condition("signing secret loaded");
    let dir = secrets.path().to_owned();
    let endpoint = Endpoint {
        path: PATH.to_owned(),
        events: [EventKind::Upload, EventKind::Modify].into(),
        body: BodyLimits::new(MAX_BODY, Duration::from_millis(400), 4 * 1024 * 1024),
        secrets: Secrets::open(dir, settings.scheme, settings.encoding, loaded),
        abuse: Abuse::new(settings.abuse),
        delivery: Delivery::new(engine.clone(), Duration::from_millis(1500), metrics.clone()),
        metrics,
    };
    let limits = Limits {
        connections: settings.connections,
        idle: Duration::from_millis(900),
        wire: WireLimits { head: Duration::from_millis(300), write: Duration::from_millis(500) },
        lame_duck: settings.lame_duck,
        drain: Duration::from_secs(2),
    };
    let listener = listen("[::]:0".parse().unwrap()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, Arc::new(endpoint), limits, stop.clone()));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    World { address, engine, stop, server, registry, _secrets: secrets }
}

pub(crate) fn world() -> World {
    world_with(Settings::default())
}

pub(crate) fn event(kind: &str, id: &str) -> String {
    format!(
        r#"{{"eventType":"{kind}","workspaceId":"1234567890123456789","fileId":"2abc","fileName":"beach.jpg","fileSize":7,"userId":"9","timestamp":"2026-02-14T10:30:00Z","eventId":"{id}"}}"#
    )
}

pub(crate) fn signature_by(secret: &str, body: &str) -> String {
    let secret = SigningSecret::new(secret).unwrap();
    let headers = Scheme::from(BodyHex::default()).sign(&secret, body.as_bytes(), Timestamp::now());
    headers["fastio-signature"].to_str().unwrap().to_owned()
}

pub(crate) fn signature(body: &str) -> String {
    signature_by(SECRET, body)
}

pub(crate) fn post_with(body: &str, signature: &str, headers: &str) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: hooks\r\nContent-Type: application/json\r\nFastio-Signature: {signature}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

pub(crate) fn post(body: &str) -> String {
    post_with(body, &signature(body), "")
}

impl World {
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects from another address of this machine.
    pub(crate) async fn connect_from(&self, address: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of its own and reads until the server ends it, at most two seconds.
    pub(crate) async fn exchange(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }

    /// One request whose answer ends the connection.
    pub(crate) async fn ask(&self, request: &str) -> String {
        self.exchange(&request.replacen("\r\n", "\r\nConnection: close\r\n", 1)).await
    }

    /// The samples of a metric, without the prefix that all of them have.
    pub(crate) fn metric(&self, name: &str) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("fastio_receiver_"));
        lines.filter(|line| line.starts_with(name)).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn started(&self) -> usize {
        self.engine.started.lock().unwrap().len()
    }
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(2), read)
        .await
        .expect("the server must end the connection")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

pub(crate) async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"}") {
        let read = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut byte)).await;
        assert_eq!(read.expect("an answer in time").unwrap(), 1);
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap()
}

pub(crate) fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

pub(crate) fn chunked(chunks: &[&str], signature: &str) -> String {
    let chunks: Vec<String> =
        chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
    let chunks = chunks.concat();
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: hooks\r\nContent-Type: application/json\r\nFastio-Signature: {signature}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    )
}
