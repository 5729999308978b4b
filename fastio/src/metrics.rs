//! An [`Observe`] for Prometheus: `fastio_api_*` in the registry of the process.

use std::fmt::Error;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::observe::{Observe, Outcome};

/// Upper bounds of the duration buckets in seconds. Long polls and large chunks take more than half a minute.
const SECONDS: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    operation: &'static str,
    code: Outcome,
}

/// Counts the calls of all clients that it is given to ([`Client::observed_by`](crate::Client::observed_by)). Cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiMetrics {
    requests: Family<Attempt, Counter>,
    duration: Family<Operation, Histogram, fn() -> Histogram>,
    waits: Family<Operation, Counter<f64, AtomicU64>>,
}

impl ApiMetrics {
    /// Makes the metrics and adds them to a registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            waits: Family::default(),
        };
        let registry = registry.sub_registry_with_prefix("fastio_api");
        registry.register(
            "requests",
            "Requests to the Fast.io API by operation and HTTP status; transport: no reply; held: none was sent, because the \
             rate limit is used up",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time from a request to the head of its reply",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register_with_unit(
            "rate_limit_wait",
            "Time that calls waited for their turn in the rate limit",
            Unit::Seconds,
            metrics.waits.clone(),
        );
        metrics
    }
}

impl Observe for ApiMetrics {
    fn attempted(&self, operation: &'static str, outcome: Outcome, took: Duration) {
        self.requests.get_or_create(&Attempt { operation, code: outcome }).inc();
        if outcome != Outcome::Held {
            self.duration.get_or_create(&Operation { operation }).observe(took.as_secs_f64());
        }
    }

    fn waited(&self, operation: &'static str, time: Duration) {
        self.waits.get_or_create(&Operation { operation }).inc_by(time.as_secs_f64());
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Status(status) => status.encode(encoder),
            Self::Transport => "transport".encode(encoder),
            Self::Held => "held".encode(encoder),
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;
    use crate::client::stub::{Stub, json, reply};

    /// What a scrape shows after `calls`, histograms left out.
    fn samples(registry: &Registry) -> Vec<String> {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        let mut lines: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.contains("_bucket") && !line.contains("_sum"))
            .map(str::to_owned)
            .collect();
        lines.sort_unstable();
        lines
    }

    #[tokio::test]
    async fn calls_are_counted_by_operation_and_status() {
        let limited = reply(429, &[("retry-after", "60")], r#"{"result":false,"error":{"code":1671}}"#);
        let stub = Stub::start([reply(503, &[], ""), json(r#"{"result":true,"id":"1"}"#), limited]).await;
        let mut registry = Registry::default();
        let client = stub.client().observed_by(ApiMetrics::register(&mut registry));
        client.clone().auth_check().await.unwrap();
        for _ in 0..3 {
            client.scopes().await.unwrap_err();
        }
        let samples = samples(&registry);
        let requests: Vec<_> = samples.iter().filter(|line| line.contains("requests_total")).collect();
        assert_eq!(
            requests,
            [
                r#"fastio_api_requests_total{operation="auth.check",code="200"} 1"#,
                r#"fastio_api_requests_total{operation="auth.check",code="503"} 1"#,
                r#"fastio_api_requests_total{operation="auth.scopes",code="429"} 1"#,
                r#"fastio_api_requests_total{operation="auth.scopes",code="held"} 2"#,
            ]
        );
        // What was not sent has no duration.
        for (operation, attempts) in [("auth.check", 2), ("auth.scopes", 1)] {
            let count =
                format!(r#"fastio_api_request_duration_seconds_count{{operation="{operation}"}} {attempts}"#);
            assert!(samples.contains(&count), "{samples:#?}");
        }
    }

    #[tokio::test]
    async fn a_download_by_token_is_counted() {
        let stub = Stub::start([json(r#"{"result":true,"token":"t"}"#), reply(200, &[], "bytes")]).await;
        let mut registry = Registry::default();
        let client = stub.client().observed_by(ApiMetrics::register(&mut registry));
        let (ws, node) = ("1234567890123456789".parse().unwrap(), "2abc".parse().unwrap());
        let token = client.download_token(&ws, &node, None).await.unwrap();
        client.read(&ws, &node, &token, None, None).await.unwrap();
        let read = r#"fastio_api_requests_total{operation="storage.read",code="200"} 1"#;
        assert!(samples(&registry).iter().any(|line| line == read));
    }

    #[tokio::test]
    async fn no_reply_is_counted_and_so_is_a_wait() {
        let limited = reply(429, &[("retry-after", "1")], r#"{"result":false,"error":{}}"#);
        let stub = Stub::start([limited, json(r#"{"result":true,"id":"1"}"#)]).await;
        let mut registry = Registry::default();
        let metrics = ApiMetrics::register(&mut registry);
        let client = stub.client().observed_by(metrics.clone());
        client.auth_check().await.unwrap_err();
        client.auth_check().await.unwrap();
        let waited = metrics.waits.get_or_create(&Operation { operation: "auth.check" }).get();
        assert!((0.9..10.0).contains(&waited), "{waited}");

        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let key = crate::ApiKeySource::Static("a-key".parse().unwrap());
        let away = crate::client::stub::client_at(&format!("http://{closed}/current"), key);
        away.observed_by(metrics.clone()).complete_upload(&"5abc".parse().unwrap()).await.unwrap_err();
        let lost = Attempt { operation: "upload.complete", code: Outcome::Transport };
        assert_eq!(metrics.requests.get_or_create(&lost).get(), 1);
    }
}
