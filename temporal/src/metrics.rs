//! Metrics of the SDK's workers (`temporal_*`), in the registry of the process.
//!
//! The SDK's own exporter listens on a port of its own, and nobody else can read its registry. So this is a meter, the
//! SDK's interface for that ([`CoreMeter`]): it keeps what the SDK measures where everything else of the process is.

mod instruments;

use std::collections::HashMap;
use std::sync::Arc;

use prometheus_client::registry::{Registry, Unit};
use temporalio_common::telemetry::TelemetryOptions;
use temporalio_common::telemetry::metrics::{
    CoreMeter, Counter, Gauge, GaugeF64, Histogram, HistogramDuration, HistogramF64, MetricAttributes,
    MetricParameters, NewAttributes, NoOpInstrument, OrderedPromLabelSet, UpDownCounter,
};
use temporalio_sdk::error::RuntimeError;
use temporalio_sdk::runtime::{Runtime, RuntimeOptions};

use instruments::{Counts, Latencies, Levels};

/// Counters of SDK 1.1 that are exported. What it counts of local activities and Nexus is not: nobody here uses these.
const COUNTERS: [(&str, &str); 14] = [
    ("worker_start", "Workers that were started"),
    ("workflow_completed", "Workflows that completed"),
    ("workflow_canceled", "Workflows that were cancelled"),
    ("workflow_failed", "Workflows that failed"),
    ("workflow_continue_as_new", "Workflows that continued as new"),
    ("workflow_task_queue_poll_succeed", "Polls that brought a workflow task"),
    ("workflow_task_queue_poll_empty", "Polls for workflow tasks that ended without one"),
    ("workflow_task_execution_failed", "Workflow tasks that failed"),
    ("activity_task_received", "Polls that brought an activity"),
    ("activity_poll_no_task", "Polls for activities that ended without one"),
    ("activity_execution_failed", "Attempts of activities that failed"),
    ("sticky_cache_hit", "Workflow tasks whose workflow was in memory"),
    ("sticky_cache_miss", "Workflow tasks whose workflow should have been in memory"),
    ("sticky_cache_total_forced_eviction", "Workflows that were taken out of memory"),
];

/// Gauges.
const GAUGES: [(&str, &str); 4] = [
    ("num_pollers", "Polls that are open"),
    ("worker_task_slots_available", "Tasks of a type that could be taken now"),
    ("worker_task_slots_used", "Tasks of a type that are worked on"),
    ("sticky_cache_size", "Workflows in memory"),
];

/// Histograms of times. The SDK's own exporter calls them the same, with milliseconds and without the unit in the name.
const LATENCIES: [(&str, &str); 7] = [
    ("workflow_endtoend_latency", "Time from the start of a workflow to its end"),
    ("workflow_task_schedule_to_start_latency", "Time that a workflow task waited for a worker"),
    ("workflow_task_execution_latency", "Time that a workflow task took"),
    ("workflow_task_replay_latency", "Time that the replay of a history took"),
    ("activity_schedule_to_start_latency", "Time that an activity waited for a worker"),
    ("activity_execution_latency", "Time that an attempt of an activity took"),
    ("activity_succeed_endtoend_latency", "Time from the scheduling of an activity to its success"),
];

/// Keeps what the SDK measures. Cheap enough to clone once for each runtime.
#[derive(Debug, Clone)]
pub struct SdkMetrics {
    counters: HashMap<&'static str, Counts>,
    gauges: HashMap<&'static str, Levels>,
    latencies: HashMap<&'static str, Latencies>,
}

impl SdkMetrics {
    /// Makes the metrics and adds them to a registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("temporal");
        let mut metrics =
            Self { counters: HashMap::new(), gauges: HashMap::new(), latencies: HashMap::new() };
        for (name, help) in COUNTERS {
            let counts = Counts::default();
            registry.register(name, help, counts.family());
            metrics.counters.insert(name, counts);
        }
        for (name, help) in GAUGES {
            let levels = Levels::default();
            registry.register(name, help, levels.family());
            metrics.gauges.insert(name, levels);
        }
        for (name, help) in LATENCIES {
            let latencies = Latencies::new(name);
            registry.register_with_unit(name, help, Unit::Seconds, latencies.family());
            metrics.latencies.insert(name, latencies);
        }
        metrics
    }

    /// The SDK's runtime on the current Tokio runtime. Its workers are measured here.
    pub fn runtime(&self) -> Result<Runtime, RuntimeError> {
        let telemetry = TelemetryOptions::builder()
            .metrics(Arc::new(self.clone()) as Arc<dyn CoreMeter>)
            // The prefix is the registry's, and the name of the service says nothing.
            .metric_prefix(String::new())
            .attach_service_name(false)
            .build();
        let options = RuntimeOptions::builder().telemetry_options(telemetry).build();
        Runtime::from_current_tokio(options.map_err(|problem| RuntimeError::Initialization(problem.into()))?)
    }
}

/// What is not listed above is asked for as well, and gets an instrument that does nothing.
impl CoreMeter for SdkMetrics {
    fn new_attributes(&self, attribs: NewAttributes) -> MetricAttributes {
        MetricAttributes::Prometheus { labels: Arc::new(attribs.into()) }
    }

    fn extend_attributes(&self, existing: MetricAttributes, attribs: NewAttributes) -> MetricAttributes {
        let mut labels = match existing {
            MetricAttributes::Prometheus { labels } => (*labels).clone(),
            _ => OrderedPromLabelSet::new(),
        };
        attribs.attributes.into_iter().for_each(|label| labels.add_kv(label));
        MetricAttributes::Prometheus { labels: Arc::new(labels) }
    }

    fn counter(&self, params: MetricParameters) -> Counter {
        match self.counters.get(&*params.name) {
            Some(counts) => Counter::new(Arc::new(counts.clone())),
            None => Counter::new(Arc::new(NoOpInstrument)),
        }
    }

    fn gauge(&self, params: MetricParameters) -> Gauge {
        match self.gauges.get(&*params.name) {
            Some(levels) => Gauge::new(Arc::new(levels.clone())),
            None => Gauge::new(Arc::new(NoOpInstrument)),
        }
    }

    fn histogram_duration(&self, params: MetricParameters) -> HistogramDuration {
        match self.latencies.get(&*params.name) {
            Some(latencies) => HistogramDuration::new(Arc::new(latencies.clone())),
            None => HistogramDuration::new(Arc::new(NoOpInstrument)),
        }
    }

    fn histogram(&self, _: MetricParameters) -> Histogram {
        Histogram::new(Arc::new(NoOpInstrument))
    }

    fn histogram_f64(&self, _: MetricParameters) -> HistogramF64 {
        HistogramF64::new(Arc::new(NoOpInstrument))
    }

    fn gauge_f64(&self, _: MetricParameters) -> GaugeF64 {
        GaugeF64::new(Arc::new(NoOpInstrument))
    }

    fn up_down_counter(&self, _: MetricParameters) -> UpDownCounter {
        UpDownCounter::new(Arc::new(NoOpInstrument))
    }
}

#[cfg(test)]
mod tests;
