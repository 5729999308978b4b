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
use tokio::net::TcpStream;
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
    let listener = crate::listen(address)?;
    let router = router(health, registry);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
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
    use super::*;

    #[test]
    fn readiness_names_what_is_missing() {
        let health = Health::new();
        let (first, second) = (health.condition("secret loaded"), health.condition("listening"));
        first.set(true);
        assert_eq!(readiness(&health).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(health.unmet(), ["listening"]);
        second.set(true);
        assert_eq!(readiness(&health).status(), StatusCode::OK);
    }
}
