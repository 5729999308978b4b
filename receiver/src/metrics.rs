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

use crate::answer::Answer;

/// Upper bounds of the duration buckets in seconds; the last but one is the budget of a start.
const SECONDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.5, 2.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    answer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// The receiver's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: Family<AnswerLabel, Counter>,
    duration: Histogram,
    signature_failures: Family<ReasonLabel, Counter>,
    starts: Family<ResultLabel, Counter>,
    start_duration: Histogram,
    last_event: Gauge<f64, AtomicU64>,
    /// Open connections.
    pub connections: Gauge,
}

impl Metrics {
    /// Makes the metrics and adds them to `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            duration: Histogram::new(SECONDS),
            signature_failures: Family::default(),
            starts: Family::default(),
            start_duration: Histogram::new(SECONDS),
            last_event: Gauge::default(),
            connections: Gauge::default(),
        };
        let registry = registry.sub_registry_with_prefix("fastio_receiver");
        registry.register("requests", "Requests by answer", metrics.requests.clone());
        registry.register(
            "request_duration_seconds",
            "Time from the end of a request's head to its answer",
            metrics.duration.clone(),
        );
        registry.register(
            "signature_failures",
            "Requests without a good signature",
            metrics.signature_failures.clone(),
        );
        registry.register("workflow_starts", "Attempts to start a workflow", metrics.starts.clone());
        registry.register(
            "workflow_start_duration_seconds",
            "Time that Temporal took for an attempt",
            metrics.start_duration.clone(),
        );
        registry.register(
            "last_event_timestamp_seconds",
            "When the last event was acknowledged, as Unix time; 0 if none was",
            metrics.last_event.clone(),
        );
        registry.register("connections", "Open connections", metrics.connections.clone());
        metrics
    }

    /// A request was answered.
    pub fn answered(&self, answer: &Answer, took: Duration) {
        self.requests.get_or_create(&AnswerLabel { answer: answer.label() }).inc();
        self.duration.observe(took.as_secs_f64());
        if matches!(answer, Answer::Accepted | Answer::Duplicate) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.last_event.set(now.as_secs_f64());
        }
    }

    /// A request had no good signature.
    pub fn not_signed(&self, error: SignatureError) {
        let reason = match error {
            SignatureError::Missing => "missing",
            SignatureError::Malformed => "malformed",
            SignatureError::Mismatch => "mismatch",
            _ => "other",
        };
        self.signature_failures.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Temporal was asked to start a workflow.
    pub fn start_attempted(&self, result: &'static str, took: Duration) {
        self.starts.get_or_create(&ResultLabel { result }).inc();
        self.start_duration.observe(took.as_secs_f64());
    }
}
