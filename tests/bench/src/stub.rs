//! An engine that stores nothing and always says yes: it shows what the receivers and their clients cost, without
//! Temporal's own time.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::WithTrailers;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use serde::Serialize;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    GetSystemInfoResponse, StartWorkflowExecutionResponse, get_system_info_response::Capabilities,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// gRPC's UNIMPLEMENTED.
const UNIMPLEMENTED: HeaderValue = HeaderValue::from_static("12");
const OK: HeaderValue = HeaderValue::from_static("0");

/// What was asked for.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Workflows that were started.
    starts: u64,
    /// Other calls.
    others: u64,
}

#[derive(Default)]
struct Engine {
    starts: AtomicU64,
    others: AtomicU64,
}

/// Serves until standard input ends: whoever started this program is gone then, or wants the counts.
pub(crate) async fn serve(listen: SocketAddr) -> io::Result<Counts> {
    let listener = TcpListener::bind(listen).await?;
    let engine = Arc::new(Engine::default());
    let (tell, ended) = oneshot::channel();
    std::thread::spawn(move || tell.send(io::copy(&mut io::stdin(), &mut io::sink())));
    tokio::select! {
        // However it ends: nobody is there any more.
        _ = ended => {}
        failed = accept(listener, &engine) => failed?,
    }
    Ok(Counts {
        starts: engine.starts.load(Ordering::Relaxed),
        others: engine.others.load(Ordering::Relaxed),
    })
}

async fn accept(listener: TcpListener, engine: &Arc<Engine>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let engine = Arc::clone(engine);
        tokio::spawn(async move {
            let service = service_fn(move |request| Arc::clone(&engine).answer(request));
            let connection =
                http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("engine: {error}");
            }
        });
    }
}

type Trailers = std::future::Ready<Option<Result<HeaderMap, Infallible>>>;

impl Engine {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<WithTrailers<Full<Bytes>, Trailers>>, hyper::Error> {
        let (head, body) = request.into_parts();
        // To its end, or the client's window runs dry.
        body.collect().await?;
        Ok(match head.uri.path().rsplit('/').next() {
            Some("StartWorkflowExecution") => {
                let number = self.starts.fetch_add(1, Ordering::Relaxed);
                let run_id = format!("00000000-0000-4000-8000-{number:012}");
                message(&StartWorkflowExecutionResponse { run_id, started: true, ..Default::default() })
            }
            Some("GetSystemInfo") => {
                self.others.fetch_add(1, Ordering::Relaxed);
                let capabilities = Some(Capabilities { sdk_metadata: true, ..Default::default() });
                message(&GetSystemInfoResponse { server_version: "1.29.1".to_owned(), capabilities })
            }
            _ => {
                self.others.fetch_add(1, Ordering::Relaxed);
                response(Bytes::new(), UNIMPLEMENTED)
            }
        })
    }
}

fn message(message: &impl Message) -> Response<WithTrailers<Full<Bytes>, Trailers>> {
    response(frame(message), OK)
}

/// A gRPC message: not compressed, then its length, then itself.
fn frame(message: &impl Message) -> Bytes {
    let encoded = message.encode_to_vec();
    let mut frame = BytesMut::with_capacity(5 + encoded.len());
    frame.put_u8(0);
    // Lengths here are a few dozen bytes.
    frame.put_u32(u32::try_from(encoded.len()).unwrap_or(u32::MAX));
    frame.put_slice(&encoded);
    frame.freeze()
}

fn response(body: Bytes, status: HeaderValue) -> Response<WithTrailers<Full<Bytes>, Trailers>> {
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), status)]);
    let mut response = Response::new(Full::new(body).with_trailers(std::future::ready(Some(Ok(trailers)))));
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bare::Bare;
    use crate::delivery::Events;
    use crate::load::Target;

    #[tokio::test]
    async fn temporals_client_believes_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let engine = Arc::new(Engine::default());
        let counted = Arc::clone(&engine);
        let serving = tokio::spawn(async move { accept(listener, &engine).await });
        let bare = Bare::connect(address, Events::new("r", "upload")).await.unwrap();
        for number in 0..3 {
            assert_eq!(bare.send(number).await, Ok(200));
        }
        assert_eq!(counted.starts.load(Ordering::Relaxed), 3);
        serving.abort();
    }
}
