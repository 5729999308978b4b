//! A Temporal that agrees to everything, with the empty message of each call, or refuses everything.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// The one call that is remembered.
const TERMINATE: &str = "/temporal.api.workflowservice.v1.WorkflowService/TerminateWorkflowExecution";

/// gRPC status codes.
const OK: &str = "0";
const UNAVAILABLE: &str = "14";
const UNIMPLEMENTED: &str = "12";

/// A gRPC message of no bytes, uncompressed.
const EMPTY: [u8; 5] = [0; 5];

#[derive(Default)]
struct World {
    terminations: Vec<String>,
    away: bool,
}

pub(crate) struct FakeTemporal {
    world: Arc<Mutex<World>>,
    pub(crate) flag: String,
}

impl FakeTemporal {
    pub(crate) async fn start() -> Self {
        let world = Arc::<Mutex<World>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let flag = format!("--temporal-address={}", listener.local_addr().unwrap());
        let server = Arc::clone(&world);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let world = Arc::clone(&server);
                let service = service_fn(move |request| answer(Arc::clone(&world), request));
                let connection =
                    http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { world, flag }
    }

    /// Requests to terminate a workflow since the last call, as printable text.
    pub(crate) fn terminations(&self) -> Vec<String> {
        std::mem::take(&mut self.world.lock().unwrap().terminations)
    }

    pub(crate) fn go_away(&self, away: bool) {
        self.world.lock().unwrap().away = away;
    }
}

async fn answer(
    world: Arc<Mutex<World>>,
    request: Request<Incoming>,
) -> Result<Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let (status, message) = if parts.headers.contains_key("grpc-encoding") {
        // The client goes on without.
        (UNIMPLEMENTED, "grpc-encoding is not supported")
    } else if world.lock().unwrap().away {
        (UNAVAILABLE, "away")
    } else {
        if parts.uri.path() == TERMINATE {
            world.lock().unwrap().terminations.push(String::from_utf8_lossy(&body).into_owned());
        }
        (OK, "")
    };
    let trailers = HeaderMap::from_iter(
        [("grpc-status", status), ("grpc-message", message)]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())),
    );
    let body = Full::new(Bytes::copy_from_slice(&EMPTY)).with_trailers(async move { Some(Ok(trailers)) });
    Ok(Response::builder().header("content-type", "application/grpc").body(body.boxed()).unwrap())
}
