//! What the SDK asks this meter for, and what becomes of it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::BoxFuture;
use prometheus_client::encoding::text::encode;
use temporalio_client::callback_based::CallbackBasedGrpcService;
use temporalio_client::tonic::Status;
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, Url};
use temporalio_common::telemetry::metrics::{
    CounterBase, HistogramDurationBase, MetricKeyValue, NoOpCoreMeter,
};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use temporalio_sdk::{Worker, WorkerOptions};

use super::*;

/// Notes which instruments are asked for.
#[derive(Debug, Default)]
struct Asked(Mutex<BTreeSet<(&'static str, String)>>);

impl Asked {
    fn note(&self, kind: &'static str, params: &MetricParameters) {
        self.0.lock().unwrap().insert((kind, params.name.to_string()));
    }
}

impl CoreMeter for Asked {
    fn new_attributes(&self, attribs: NewAttributes) -> MetricAttributes {
        NoOpCoreMeter.new_attributes(attribs)
    }
    fn extend_attributes(&self, existing: MetricAttributes, attribs: NewAttributes) -> MetricAttributes {
        NoOpCoreMeter.extend_attributes(existing, attribs)
    }
    fn counter(&self, params: MetricParameters) -> Counter {
        self.note("counter", &params);
        NoOpCoreMeter.counter(params)
    }
    fn gauge(&self, params: MetricParameters) -> Gauge {
        self.note("gauge", &params);
        NoOpCoreMeter.gauge(params)
    }
    fn histogram_duration(&self, params: MetricParameters) -> HistogramDuration {
        self.note("latency", &params);
        NoOpCoreMeter.histogram_duration(params)
    }
    fn histogram(&self, params: MetricParameters) -> Histogram {
        self.note("histogram", &params);
        NoOpCoreMeter.histogram(params)
    }
    fn histogram_f64(&self, params: MetricParameters) -> HistogramF64 {
        self.note("histogram", &params);
        NoOpCoreMeter.histogram_f64(params)
    }
    fn gauge_f64(&self, params: MetricParameters) -> GaugeF64 {
        self.note("gauge of floats", &params);
        NoOpCoreMeter.gauge_f64(params)
    }
    fn up_down_counter(&self, params: MetricParameters) -> UpDownCounter {
        self.note("up-down counter", &params);
        NoOpCoreMeter.up_down_counter(params)
    }
}

/// A worker of a Temporal that refuses everything.
async fn worker(runtime: &Runtime) -> Worker {
    let refuse = |_| -> BoxFuture<'_, _> { Box::pin(async { Err(Status::unavailable("away")) }) };
    let options = ConnectionOptions::new(Url::parse("http://localhost:7233").unwrap())
        .skip_get_system_info(true)
        .service_override(CallbackBasedGrpcService { callback: Arc::new(refuse) })
        .dns_load_balancing(None)
        .build();
    let connection = Connection::connect(options).await.unwrap();
    let client = Client::new(connection, ClientOptions::new("default").build()).unwrap();
    Worker::new(runtime, client, WorkerOptions::new("a-queue").register_activities(Idle).build()).unwrap()
}

/// A worker has something to do, or it is none.
struct Idle;

#[activities]
impl Idle {
    #[activity(name = "Wait")]
    async fn wait(self: Arc<Self>, _: ActivityContext, (): ()) -> Result<(), ActivityError> {
        // A workflow would ask for it by this.
        let _ = Self::wait;
        std::future::pending().await
    }
}

#[tokio::test]
async fn the_sdk_has_what_is_listed_and_nothing_else_that_is_used_here() {
    let asked = Arc::new(Asked::default());
    let telemetry = TelemetryOptions::builder()
        .metrics(asked.clone() as Arc<dyn CoreMeter>)
        .metric_prefix(String::new())
        .build();
    let options = RuntimeOptions::builder().telemetry_options(telemetry).build().unwrap();
    let _worker = worker(&Runtime::from_current_tokio(options).unwrap()).await;
    let unused = |name: &str| name.starts_with("local_activity") || name.starts_with("nexus");
    let asked: BTreeSet<_> =
        asked.0.lock().unwrap().iter().filter(|(_, name)| !unused(name)).cloned().collect();
    let listed = |kind, names: &[(&str, &str)]| -> Vec<_> {
        names.iter().map(|(name, _)| (kind, (*name).to_owned())).collect()
    };
    let all = [listed("counter", &COUNTERS), listed("gauge", &GAUGES), listed("latency", &LATENCIES)];
    assert_eq!(asked, all.into_iter().flatten().collect());
}

#[tokio::test]
async fn what_the_sdk_measures_is_in_the_registry() {
    let mut registry = Registry::default();
    let metrics = SdkMetrics::register(&mut registry);
    let _worker = worker(&metrics.runtime().unwrap()).await;
    let base = metrics.new_attributes([MetricKeyValue::new("task_queue", "a-queue")].into());
    let labels = metrics.extend_attributes(base, [MetricKeyValue::new("activity-type", "Comment")].into());
    metrics.counter("activity_execution_failed".into()).add(2, &labels);
    metrics
        .histogram_duration("activity_execution_latency".into())
        .record(Duration::from_millis(1_500), &labels);
    // Not listed.
    metrics.counter("nexus_poll_no_task".into()).adds(1);
    metrics.histogram_duration("nexus_task_endtoend_latency".into()).records(Duration::ZERO);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        r#"temporal_activity_execution_failed_total{activity_type="Comment",task_queue="a-queue"} 2"#,
        r#"temporal_activity_execution_latency_seconds_sum{activity_type="Comment",task_queue="a-queue"} 1.5"#,
        // What a worker does by itself.
        r#"temporal_worker_start_total{namespace="default",task_queue="a-queue"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("nexus"), "{text}");
}
