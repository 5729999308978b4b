//! What Prometheus sees. Labels are closed sets: nothing of a file or an event becomes one.

use std::time::Duration;

use fastio::ApiMetrics;
use fastio_pipeline::decision::{Answer, Decision};
use fastio_pipeline::matching::Filtered;
use fastio_temporal::metrics::SdkMetrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::feed::metrics::FeedMetrics;
use crate::occasion::Occasion;

/// Upper bounds of the age buckets in seconds.
const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    source: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    source: &'static str,
    answer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    source: &'static str,
    reason: &'static str,
}

/// The intake's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    decisions: Family<OutcomeLabel, Counter>,
    answers: Family<AnswerLabel, Counter>,
    undecided: Family<ReasonLabel, Counter>,
    age: Family<SourceLabel, Histogram>,
    /// 1 while the pipelines are known to be current.
    pub view_current: Gauge,
    /// Failures of the watch on pipelines.
    pub view_failures: Counter,
    /// Those of the feed.
    pub feed: FeedMetrics,
    /// Calls of the Fast.io API.
    pub fastio: ApiMetrics,
    /// What the Temporal SDK measures.
    pub temporal: SdkMetrics,
}

impl Metrics {
    /// Makes the metrics and adds them to `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let (fastio, temporal) = (ApiMetrics::register(registry), SdkMetrics::register(registry));
        let registry = registry.sub_registry_with_prefix("fastio_intake");
        let metrics = Self {
            decisions: Family::default(),
            answers: Family::default(),
            undecided: Family::default(),
            age: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            view_current: Gauge::default(),
            view_failures: Counter::default(),
            feed: FeedMetrics::register(registry),
            fastio,
            temporal,
        };
        registry.register(
            "decisions",
            "Events and listed files by where they came from and what became of them",
            metrics.decisions.clone(),
        );
        registry.register("answers", "Answers of pipelines", metrics.answers.clone());
        registry.register(
            "undecided_attempts",
            "Attempts to decide that have to be made again",
            metrics.undecided.clone(),
        );
        registry.register(
            "decision_age_seconds",
            "Time from an event's arrival (push) or from what happened (feed) to the decision",
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

    /// There is a decision. `age` is that of the event; a listed file has none.
    pub fn decided(&self, occasion: &Occasion, decision: &Decision, age: Option<Duration>) {
        let source = occasion.as_str();
        let (outcome, verdicts) = match decision {
            Decision::Decided { pipelines, .. } => ("decided", pipelines.as_slice()),
            Decision::Gone => ("gone", [].as_slice()),
            Decision::NotAFile => ("not_a_file", [].as_slice()),
            Decision::OtherWorkspace => ("other_workspace", [].as_slice()),
            Decision::Infected { .. } => ("infected", [].as_slice()),
        };
        self.decisions.get_or_create(&OutcomeLabel { source, outcome }).inc();
        if let Some(age) = age {
            self.age.get_or_create(&SourceLabel { source }).observe(age.as_secs_f64());
        }
        for verdict in verdicts {
            let answer = answer(&verdict.answer);
            self.answers.get_or_create(&AnswerLabel { source, answer }).inc();
        }
    }

    /// An attempt to decide failed.
    pub fn undecided(&self, occasion: &Occasion, reason: &'static str) {
        self.undecided.get_or_create(&ReasonLabel { source: occasion.as_str(), reason }).inc();
    }
}

fn answer(answer: &Answer) -> &'static str {
    match answer {
        Answer::Started { .. } => "started",
        Answer::Duplicate { .. } => "duplicate",
        Answer::Invalid { .. } => "invalid",
        Answer::Filtered { because } => match because {
            Filtered::Event { .. } => "filtered_event",
            Filtered::Name { .. } => "filtered_name",
            Filtered::Folder { .. } => "filtered_folder",
            Filtered::Size { .. } => "filtered_size",
            Filtered::MimeType { .. } => "filtered_mime_type",
            Filtered::OwnResult { .. } => "own_result",
            Filtered::OwnAccess => "own_access",
        },
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
        let sections = ["fastio-intake", "Calls of Fast.io", "Temporal workers"];
        assert_eq!(differences(&sections, &registry), [""; 0]);
    }
}
