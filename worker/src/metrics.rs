//! What Prometheus sees. Labels are closed sets: names of activities and of results.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use fastio::ApiMetrics;
use fastio_temporal::metrics::SdkMetrics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use temporalio_sdk::activities::ActivityError;
use temporalio_sdk::interceptors::{
    ActivityInboundInterceptor, ExecuteActivityInput, ExecuteActivityOutput, Next,
};

use crate::scratch::Room;

/// Upper bounds of the duration buckets in seconds: from a comment to a download of hours.
const SECONDS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0, 3_600.0, 14_400.0];

/// Names that become labels. Anything else is not ours.
const ACTIVITIES: [&str; 7] =
    ["FindResults", "ClaimHost", "DownloadSource", "RunStep", "UploadResult", "Comment", "ReleaseHost"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    activity: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Which {
    activity: &'static str,
}

/// The worker's metrics.
#[derive(Debug)]
pub struct Metrics {
    attempts: Family<Ended, Counter>,
    duration: Family<Which, Histogram, fn() -> Histogram>,
    room: Arc<OnceLock<Watched>>,
    /// Calls of the Fast.io API.
    pub fastio: ApiMetrics,
    /// What the Temporal SDK measures.
    pub temporal: SdkMetrics,
}

impl Metrics {
    /// Registers the metrics with the names that `docs/metrics.md` lists.
    pub fn register(registry: &mut Registry) -> Self {
        let (fastio, temporal) = (ApiMetrics::register(registry), SdkMetrics::register(registry));
        let registry = registry.sub_registry_with_prefix("fastio_worker");
        let attempts = Family::default();
        registry.register(
            "activity_attempts",
            "Attempts of activities that ended, by result: done, retry, failed or cancelled",
            attempts.clone(),
        );
        let duration: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register_with_unit(
            "activity_attempt_duration",
            "Time that an attempt of an activity took",
            Unit::Seconds,
            duration.clone(),
        );
        let room = Arc::default();
        registry.register_collector(Box::new(RoomMetrics(Arc::clone(&room))));
        Self { attempts, duration, room, fastio, temporal }
    }

    /// Counts what is claimed of a host from now on.
    pub fn watch_room(&self, room: &Arc<Room>, slots: usize, bytes: u64) {
        // Set once: a process has one room.
        let _ = self.room.set(Watched { room: Arc::clone(room), slots, bytes });
    }
}

/// Counts activities as they end.
pub struct ActivityMetrics(pub Arc<Metrics>);

impl ActivityInboundInterceptor for ActivityMetrics {
    fn execute_activity<'a>(
        &'a self,
        input: ExecuteActivityInput,
        next: Next<'a, ExecuteActivityInput, ExecuteActivityOutput<'a>>,
    ) -> ExecuteActivityOutput<'a> {
        let name = &input.activity_info().activity_type;
        let activity = ACTIVITIES.into_iter().find(|known| known == name).unwrap_or("other");
        let workflow = input.activity_info().workflow_id.clone().unwrap_or_default();
        let attempt = input.activity_info().attempt;
        let started = Instant::now();
        Box::pin(async move {
            let ended = next.run(input).await;
            let result = match &ended {
                Ok(_) => "done",
                Err(ActivityError::Application(failure)) if failure.is_non_retryable() => "failed",
                Err(ActivityError::Cancelled { .. }) => "cancelled",
                Err(_) => "retry",
            };
            if let Err(ActivityError::Application(failure)) = &ended {
                let kind = failure.type_name().unwrap_or_default();
                tracing::warn!(activity, workflow, attempt, kind, error = %failure, "activity attempt failed");
            } else {
                tracing::info!(activity, workflow, attempt, result, took = ?started.elapsed(), "activity attempt");
            }
            self.0.attempts.get_or_create(&Ended { activity, result }).inc();
            self.0.duration.get_or_create(&Which { activity }).observe(started.elapsed().as_secs_f64());
            ended
        })
    }
}

#[derive(Debug)]
struct Watched {
    room: Arc<Room>,
    slots: usize,
    bytes: u64,
}

/// Counted when somebody looks: the claims are on the disk and nowhere else.
#[derive(Debug)]
struct RoomMetrics(Arc<OnceLock<Watched>>);

impl Collector for RoomMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(Watched { room, slots, bytes }) = self.0.get() else { return Ok(()) };
        let claims = room.claims().map_err(|_| std::fmt::Error)?;
        let claimed: u64 = claims.iter().map(|claim| claim.bytes).fold(0, u64::saturating_add);
        for (name, help, unit, value) in [
            ("slots", "Runs that the host can take at the same time", None, count(*slots)),
            ("slots_claimed", "Runs that the host has taken", None, count(claims.len())),
            ("scratch", "Scratch space that runs may claim", Some(&Unit::Bytes), *bytes),
            ("scratch_claimed", "Scratch space that runs have claimed", Some(&Unit::Bytes), claimed),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use fastio_service::metrics_page::differences;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_documentation_lists_what_there_is() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let directory = tempfile::tempdir().unwrap();
        let room = Room::open(Scratch::open(directory.path()).unwrap(), 1_000, 1).unwrap();
        metrics.watch_room(&Arc::new(room), 1, 1_000);
        let sections = ["fastio-worker", "Calls of Fast.io", "Temporal workers"];
        assert_eq!(differences(&sections, &registry), [""; 0]);
    }
}
