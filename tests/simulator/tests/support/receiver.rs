//! A receiver of webhooks, and signatures by their definition.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::post,
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, time::timeout};

use super::World;

pub(crate) const SECRET: &str = "a secret that is long enough";

/// A delivery as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
    /// The other end of the connection.
    pub(crate) peer: SocketAddr,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether it has the signature of the guide, by [`SECRET`].
    pub(crate) fn is_signed(&self) -> bool {
        let expected = format!("sha256={}", hex::encode(hmac_sha256(SECRET.as_bytes(), &self.body)));
        self.header("fastio-signature") == expected
    }
}

/// Keeps what it was sent; answers with the statuses that it was given, then with 200.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    answers: Arc<Mutex<Vec<StatusCode>>>,
    pub(crate) received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(crate) async fn start(answers: &[StatusCode]) -> (Self, String) {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.unwrap(), answers)
    }

    pub(crate) fn listen(listener: TcpListener, answers: &[StatusCode]) -> (Self, String) {
        let receiver = Self { answers: Arc::new(Mutex::new(answers.to_vec())), ..Self::default() };
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        (receiver, url)
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let waiting = async {
            while self.received.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), waiting).await.expect("the deliveries came");
        self.received.lock().unwrap().clone()
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    receiver.received.lock().unwrap().push(Received { headers, body, at: Instant::now(), peer });
    let mut answers = receiver.answers.lock().unwrap();
    let status = if answers.is_empty() { StatusCode::OK } else { answers.remove(0) };
    (status, [("Retry-After", "0")])
}

/// HMAC by its definition (RFC 2104), from the hash function alone.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad =
        |byte: u8| (0..64).map(|index| key.get(index).copied().unwrap_or(0) ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// Registers a webhook by the guide's API.
pub(crate) async fn register(world: &World, url: &str, events: &str) -> String {
    let fields = [("url", url), ("events", events), ("secret", SECRET)];
    let made = world.form("/workspaces/{ws}/webhooks/", &fields).await.expect(200);
    made["webhook"]["id"].as_str().unwrap().to_owned()
}

/// The log of deliveries, newest first.
pub(crate) async fn deliveries(world: &World) -> Vec<Value> {
    let path = format!("/control/deliveries?workspace={}", world.workspace);
    world.control(Method::GET, &path, json!({})).await["deliveries"].as_array().unwrap().clone()
}

/// The log once there are so many deliveries and all of them are finished.
pub(crate) async fn settled(world: &World, count: usize) -> Vec<Value> {
    let waiting = async {
        loop {
            let log = deliveries(world).await;
            if log.len() == count && log.iter().all(|delivery| !delivery["finished"].is_null()) {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("the deliveries finished")
}
