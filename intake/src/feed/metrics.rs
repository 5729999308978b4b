//! What Prometheus sees of the feed.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::state::Source;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabel {
    activity: &'static str,
    reason: String,
}

/// The feed's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FeedMetrics {
    source: Family<SourceLabel, Gauge>,
    rows: Counter,
    unreadable: Counter,
    pending: Gauge,
    given_up: Counter,
    caught_up: Gauge,
    listed: Gauge,
    backfill_files: Counter,
    problems: Family<ProblemLabel, Counter>,
}

impl FeedMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            source: Family::default(),
            rows: Counter::default(),
            unreadable: Counter::default(),
            pending: Gauge::default(),
            given_up: Counter::default(),
            caught_up: Gauge::default(),
            listed: Gauge::default(),
            backfill_files: Counter::default(),
            problems: Family::default(),
        };
        let registry = registry.sub_registry_with_prefix("feed");
        registry.register(
            "source",
            "1 for what is read: changes, search, relist (only listings) or off",
            metrics.source.clone(),
        );
        registry.register("rows", "Rows of the workspace that were read", metrics.rows.clone());
        registry.register(
            "unreadable_rows",
            "Rows of feeds and listings that could not be read and were left out",
            metrics.unreadable.clone(),
        );
        registry.register(
            "pending_events",
            "Events whose file cannot be seen or read yet",
            metrics.pending.clone(),
        );
        registry.register(
            "given_up_events",
            "Events whose file could not be read for a day; the log names them",
            metrics.given_up.clone(),
        );
        registry.register(
            "caught_up_timestamp_seconds",
            "When everything up to then had been read",
            metrics.caught_up.clone(),
        );
        registry.register(
            "listed_timestamp_seconds",
            "When the last complete listing of the workspace began",
            metrics.listed.clone(),
        );
        registry.register(
            "backfill_files",
            "Existing files that were looked at for a backfill because its pipeline wants them",
            metrics.backfill_files.clone(),
        );
        registry.register(
            "problems",
            "Rounds of the feed's activities that a problem ended",
            metrics.problems.clone(),
        );
        metrics
    }

    /// What is read from now on.
    pub(super) fn opened(&self, source: &Source) {
        self.source.clear();
        self.source.get_or_create(&SourceLabel { by: source.as_str() }).set(1);
    }

    pub(super) fn read(&self, rows: usize) {
        self.rows.inc_by(rows as u64);
    }

    pub(super) fn left_out(&self, rows: usize) {
        self.unreadable.inc_by(rows as u64);
    }

    pub(super) fn pending(&self, events: usize) {
        self.pending.set(i64::try_from(events).unwrap_or(i64::MAX));
    }

    pub(super) fn given_up(&self) {
        self.given_up.inc();
    }

    pub(super) fn caught_up(&self, at: Timestamp) {
        self.caught_up.set(at.as_second());
    }

    pub(super) fn listed(&self, at: Timestamp) {
        self.listed.set(at.as_second());
    }

    pub(super) fn backfilled(&self, files: u64) {
        self.backfill_files.inc_by(files);
    }

    pub(super) fn problem(&self, activity: &'static str, reason: &str) {
        self.problems.get_or_create(&ProblemLabel { activity, reason: reason.to_owned() }).inc();
    }
}
