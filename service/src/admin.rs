//! The admin port: `/healthz`, `/readyz`, `/metrics`. Not for the public.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::Health;

/// Serves probes and metrics until `stop` is cancelled.
///
/// `/healthz` says that the runtime answers, and depends on nothing else: a restart repairs no dependency.
pub async fn serve_admin(
    address: SocketAddr,
    health: Health,
    registry: Arc<Registry>,
    stop: CancellationToken,
) -> io::Result<()> {
    serve(crate::listen(address)?, router(health, registry), stop).await;
    Ok(())
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve_connection(stream, router.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: an endless quick loop would not help.
                tracing::warn!(%error, "admin port cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

fn router(health: Health, registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { readiness(&health) }))
        .route("/metrics", get(move || async move { metrics(&registry) }))
}

async fn serve_connection(stream: TcpStream, router: Router) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(std::time::Duration::from_secs(5));
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await
    {
        tracing::debug!(error, "admin connection ended");
    }
}

fn readiness(health: &Health) -> Response {
    let unmet = health.unmet();
    if unmet.is_empty() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not yet: {}\n", unmet.join(", "))).into_response()
    }
}

fn metrics(registry: &Registry) -> Response {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SCRAPE: &str = "# HELP jobs Jobs that were done.\n# TYPE jobs counter\njobs_total 3\n# EOF\n";

    /// An admin port, and where it is.
    fn start(health: Health, registry: Registry) -> SocketAddr {
        let listener = crate::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router(health, Arc::new(registry)), CancellationToken::new()));
        address
    }

    /// Status, head and body of the answer to a request for a path.
    async fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    #[tokio::test]
    async fn readiness_names_what_is_missing_and_health_does_not_depend_on_it() {
        let health = Health::new();
        let (first, second) = (health.condition("secret loaded"), health.condition("listening"));
        let address = start(health, Registry::default());
        let ready = async || {
            let (status, _, body) = get(address, "/readyz").await;
            (status, body)
        };
        assert_eq!(ready().await, (503, "not yet: secret loaded, listening\n".to_owned()));
        first.set(true);
        assert_eq!(ready().await, (503, "not yet: listening\n".to_owned()));
        let (status, _, body) = get(address, "/healthz").await;
        assert_eq!((status, body.as_str()), (200, "ok\n"));
        second.set(true);
        assert_eq!(ready().await, (200, "ready\n".to_owned()));
        first.set(false);
        assert_eq!(ready().await, (503, "not yet: secret loaded\n".to_owned()));
    }

    #[tokio::test]
    async fn metrics_are_openmetrics_text() {
        let mut registry = Registry::default();
        let jobs = Counter::<u64>::default();
        registry.register("jobs", "Jobs that were done", jobs.clone());
        let address = start(Health::new(), registry);
        jobs.inc_by(3);
        let (status, head, body) = get(address, "/metrics").await;
        assert_eq!((status, body.as_str()), (200, SCRAPE));
        let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(head.lines().any(|line| line == kind), "{head}");
        assert_eq!(get(address, "/").await.0, 404);
    }

    #[tokio::test]
    async fn the_port_closes_when_the_process_stops() {
        let stop = CancellationToken::new();
        let listener = crate::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let serving = serve(listener, router(Health::new(), Arc::default()), stop.clone());
        stop.cancel();
        serving.await;
        assert!(TcpStream::connect(address).await.is_err());
    }
}
