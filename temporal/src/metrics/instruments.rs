//! The SDK's instruments as families of series, one series for each set of labels.

use std::error::Error;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use temporalio_common::telemetry::metrics::{
    CounterBase, GaugeBase, HistogramDurationBase, MetricAttributable, MetricAttributes, default_buckets_for,
};

type Labels = Vec<(String, String)>;

/// A counter.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(Family<Labels, Counter>);

/// A gauge.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels(Family<Labels, Gauge>);

/// A histogram of seconds.
#[derive(Debug, Clone)]
pub(super) struct Latencies(Family<Labels, Histogram, Buckets>);

/// The buckets that the SDK means for one of its histograms, in seconds.
#[derive(Debug, Clone)]
pub(super) struct Buckets(&'static [f64]);

impl Counts {
    pub(super) fn family(&self) -> Family<Labels, Counter> {
        self.0.clone()
    }
}

impl Levels {
    pub(super) fn family(&self) -> Family<Labels, Gauge> {
        self.0.clone()
    }
}

impl Latencies {
    pub(super) fn new(name: &str) -> Self {
        Self(Family::new_with_constructor(Buckets(default_buckets_for(name, true))))
    }

    pub(super) fn family(&self) -> Family<Labels, Histogram, Buckets> {
        self.0.clone()
    }
}

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// One series. The traits are the SDK's and the metrics another crate's.
struct Series<M>(M);

impl CounterBase for Series<Counter> {
    fn adds(&self, value: u64) {
        self.0.inc_by(value);
    }
}

impl GaugeBase for Series<Gauge> {
    fn records(&self, value: u64) {
        self.0.set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}

impl HistogramDurationBase for Series<Histogram> {
    fn records(&self, value: Duration) {
        self.0.observe(value.as_secs_f64());
    }
}

impl MetricAttributable<Box<dyn CounterBase>> for Counts {
    fn with_attributes(&self, attributes: &MetricAttributes) -> Result<Box<dyn CounterBase>, Box<dyn Error>> {
        Ok(Box::new(Series(self.0.get_or_create_owned(&labels(attributes)))))
    }
}

impl MetricAttributable<Box<dyn GaugeBase>> for Levels {
    fn with_attributes(&self, attributes: &MetricAttributes) -> Result<Box<dyn GaugeBase>, Box<dyn Error>> {
        Ok(Box::new(Series(self.0.get_or_create_owned(&labels(attributes)))))
    }
}

impl MetricAttributable<Box<dyn HistogramDurationBase>> for Latencies {
    fn with_attributes(
        &self,
        attributes: &MetricAttributes,
    ) -> Result<Box<dyn HistogramDurationBase>, Box<dyn Error>> {
        Ok(Box::new(Series(self.0.get_or_create_owned(&labels(attributes)))))
    }
}

/// In an order, for equal sets must be equal. Attributes of any other kind were not made by this meter.
fn labels(attributes: &MetricAttributes) -> Labels {
    let MetricAttributes::Prometheus { labels } = attributes else { return Labels::new() };
    let mut labels: Labels =
        labels.as_prom_labels().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    labels.sort_unstable();
    labels
}
