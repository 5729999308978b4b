//! What Prometheus sees. Labels are closed sets: nothing of a file or an event becomes one.

use std::time::Duration;

use fastio_pipeline::decision::{Answer, Decision};
use fastio_pipeline::matching::Filtered;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the age buckets in seconds.
const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    answer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// The intake's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    decisions: Family<OutcomeLabel, Counter>,
    answers: Family<AnswerLabel, Counter>,
    undecided: Family<ReasonLabel, Counter>,
    age: Histogram,
    /// 1 while the pipelines are known to be current.
    pub view_current: Gauge,
    /// Failures of the watch on pipelines.
    pub view_failures: Counter,
}

impl Metrics {
    /// Makes the metrics and adds them to `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            decisions: Family::default(),
            answers: Family::default(),
            undecided: Family::default(),
            age: Histogram::new(SECONDS),
            view_current: Gauge::default(),
            view_failures: Counter::default(),
        };
        let registry = registry.sub_registry_with_prefix("fastio_intake");
        registry.register("decisions", "Events by what became of them", metrics.decisions.clone());
        registry.register("answers", "Answers of pipelines to events", metrics.answers.clone());
        registry.register(
            "undecided_attempts",
            "Attempts to decide an event that have to be made again",
            metrics.undecided.clone(),
        );
        registry.register(
            "decision_age_seconds",
            "Time from an event's arrival to the attempt that decided it",
            metrics.age.clone(),
        );
        registry.register(
            "pipeline_view_current",
            "1 while the FilePipelines are known to be current",
            metrics.view_current.clone(),
        );
        registry.register(
            "pipeline_view_failures",
            "Failures of the watch on FilePipelines",
            metrics.view_failures.clone(),
        );
        metrics
    }

    /// An event was decided at this age.
    pub fn decided(&self, decision: &Decision, age: Duration) {
        let (outcome, verdicts) = match decision {
            Decision::Decided { pipelines, .. } => ("decided", pipelines.as_slice()),
            Decision::Gone => ("gone", [].as_slice()),
            Decision::NotAFile => ("not_a_file", [].as_slice()),
            Decision::OtherWorkspace => ("other_workspace", [].as_slice()),
        };
        self.decisions.get_or_create(&OutcomeLabel { outcome }).inc();
        self.age.observe(age.as_secs_f64());
        for verdict in verdicts {
            let answer = match &verdict.answer {
                Answer::Started { .. } => "started",
                Answer::Duplicate { .. } => "duplicate",
                Answer::Filtered { because: Filtered::Event { .. } } => "filtered_event",
                Answer::Filtered { because: Filtered::Name { .. } } => "filtered_name",
                Answer::Filtered { because: Filtered::OwnResult { .. } } => "own_result",
                Answer::Invalid { .. } => "invalid",
            };
            self.answers.get_or_create(&AnswerLabel { answer }).inc();
        }
    }

    /// An attempt to decide failed.
    pub fn undecided(&self, reason: &'static str) {
        self.undecided.get_or_create(&ReasonLabel { reason }).inc();
    }
}
