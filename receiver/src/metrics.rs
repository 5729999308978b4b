//! What Prometheus sees. Labels are closed sets: nothing of a request's content becomes one.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastio::signature::SignatureError;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::answer::{Answer, Outcome};

/// Upper bounds of the duration buckets in seconds. An answer takes half a millisecond without a start and a few with one; the
/// last but one is the budget of a start.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.5, 2.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// The receiver's metrics. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    received: Counter,
    accepted: Family<ResultLabel, Counter>,
    rejected: Family<ReasonLabel, Counter>,
    signature_failures: Family<ReasonLabel, Counter>,
    ack_duration: Seconds,
    starts: Family<ResultLabel, Counter>,
    start_duration: Seconds,
    last_event: Gauge<f64, AtomicU64>,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that lost their place to another.
    pub evicted: Counter,
    /// Times that an address began to be limited.
    pub limited: Counter,
}

/// A histogram over [`SECONDS`].
#[derive(Debug, Clone)]
struct Seconds(Histogram);

impl Default for Seconds {
    fn default() -> Self {
        Self(Histogram::new(SECONDS))
    }
}

impl Metrics {
    /// Makes the metrics and adds them to `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("fastio_receiver");
        registry.register("webhooks_received", "Requests, whatever came of them", metrics.received.clone());
        registry.register(
            "webhooks_accepted",
            "Signed deliveries that were acknowledged, by what they led to",
            metrics.accepted.clone(),
        );
        registry.register(
            "webhooks_rejected",
            "Requests that were not acknowledged, by reason",
            metrics.rejected.clone(),
        );
        registry.register(
            "signature_failures",
            "Requests without a good signature, by reason",
            metrics.signature_failures.clone(),
        );
        registry.register(
            "ack_duration_seconds",
            "Time from the end of a delivery's head to its acknowledgement",
            metrics.ack_duration.0.clone(),
        );
        registry.register("workflow_starts", "Attempts to start a workflow", metrics.starts.clone());
        registry.register(
            "workflow_start_duration_seconds",
            "Time that Temporal took for an attempt",
            metrics.start_duration.0.clone(),
        );
        registry.register(
            "last_event_timestamp_seconds",
            "When the last event was accepted, as Unix time; 0 if none was",
            metrics.last_event.clone(),
        );
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register(
            "connections_evicted",
            "Connections without a signed delivery that lost their place to a new one",
            metrics.evicted.clone(),
        );
        registry.register(
            "addresses_limited",
            "Times that an address began to be limited for its refused requests",
            metrics.limited.clone(),
        );
        metrics
    }

    /// A request was answered.
    pub fn answered(&self, answer: &Answer, took: Duration) {
        self.received.inc();
        match answer.outcome() {
            Outcome::Acknowledged(result) => {
                self.accepted.get_or_create(&ResultLabel { result }).inc();
                self.ack_duration.0.observe(took.as_secs_f64());
            }
            Outcome::NotNow(reason) | Outcome::Fault(reason) => {
                self.rejected.get_or_create(&ReasonLabel { reason }).inc();
            }
        }
        if matches!(answer, Answer::Accepted | Answer::Duplicate) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.last_event.set(now.as_secs_f64());
        }
    }

    /// A request had no good signature.
    pub fn not_signed(&self, error: SignatureError) {
        self.signature_failures.get_or_create(&ReasonLabel { reason: error.reason() }).inc();
    }

    /// Temporal was asked to start a workflow.
    pub fn start_attempted(&self, result: &'static str, took: Duration) {
        self.starts.get_or_create(&ResultLabel { result }).inc();
        self.start_duration.0.observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use fastio_service::metrics_page::differences;

    use super::*;

    #[test]
    fn the_documentation_lists_what_there_is() {
        let mut registry = Registry::default();
        let _metrics = Metrics::register(&mut registry);
        assert_eq!(differences(&["fastio-receiver"], &registry), [""; 0]);
    }
}
