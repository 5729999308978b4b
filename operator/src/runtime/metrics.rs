//! Metrics, with the names of controller-runtime where it has one, so that dashboards that exist work.

use std::time::Duration;

use fastio::ApiMetrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Labels of what a controller counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reconciled {
    controller: &'static str,
    result: &'static str,
}

/// How a reconcile ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The object is looked at again after a while.
    RequeueAfter,
    /// It failed and is tried again.
    Error,
    /// It took too long and was given up.
    Timeout,
    /// It panicked.
    Panic,
}

/// What the operator counts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    reconciles: Family<Reconciled, Counter>,
    errors: Family<Controller, Counter>,
    panics: Family<Controller, Counter>,
    timeouts: Family<Controller, Counter>,
    active: Family<Controller, Gauge>,
    seconds: Family<Controller, Histogram, fn() -> Histogram>,
    /// Calls of the Fast.io API.
    pub fastio: ApiMetrics,
}

fn seconds() -> Histogram {
    Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

impl Metrics {
    /// Adds the metrics to a registry.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            errors: Family::default(),
            panics: Family::default(),
            timeouts: Family::default(),
            active: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            fastio: ApiMetrics::register(registry),
        };
        let runtime = registry.sub_registry_with_prefix("controller_runtime");
        runtime.register("reconcile", "Reconciles by result", metrics.reconciles.clone());
        runtime.register("reconcile_errors", "Reconciles that failed", metrics.errors.clone());
        runtime.register("reconcile_panics", "Reconciles that panicked", metrics.panics.clone());
        runtime.register("reconcile_timeouts", "Reconciles that were given up", metrics.timeouts.clone());
        runtime.register("active_workers", "Reconciles that run now", metrics.active.clone());
        runtime.register("reconcile_time_seconds", "Time of a reconcile", metrics.seconds.clone());
        metrics
    }

    /// A reconcile starts; its end is recorded by [`Running::end`].
    #[must_use]
    pub fn start(&self, controller: &'static str) -> Running<'_> {
        self.active.get_or_create(&Controller { controller }).inc();
        Running { metrics: self, controller }
    }
}

/// A reconcile that runs.
#[derive(Debug)]
pub struct Running<'m> {
    metrics: &'m Metrics,
    controller: &'static str,
}

impl Running<'_> {
    /// Records how it ended and how long it took.
    pub fn end(self, ending: Ending, took: Duration) {
        let Self { metrics, controller } = &self;
        let of = Controller { controller };
        let result = match ending {
            Ending::RequeueAfter => "requeue_after",
            Ending::Error | Ending::Timeout | Ending::Panic => "error",
        };
        metrics.reconciles.get_or_create(&Reconciled { controller, result }).inc();
        metrics.seconds.get_or_create(&of).observe(took.as_secs_f64());
        if ending != Ending::RequeueAfter {
            metrics.errors.get_or_create(&of).inc();
        }
        match ending {
            Ending::Timeout => drop(metrics.timeouts.get_or_create(&of).inc()),
            Ending::Panic => drop(metrics.panics.get_or_create(&of).inc()),
            Ending::RequeueAfter | Ending::Error => {}
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.metrics.active.get_or_create(&Controller { controller: self.controller }).dec();
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
        assert_eq!(differences(&["fastio-operator", "Calls of Fast.io"], &registry), [""; 0]);
    }
}
