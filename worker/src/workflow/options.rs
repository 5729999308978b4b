//! Time limits and retries of the activities, all in one place.
//!
//! | activity | queue | silent for | not begun for | tried again | in all at most |
//! |---|---|---|---|---|---|
//! | `FindResults` | pipeline | 10 s | – | 1 s … 60 s | 1 h |
//! | `ClaimHost` | pipeline | 10 s | – | 1 s … 30 s | 7 days |
//! | `DownloadSource` | host, transfer | 10 s | 20 s | 1 s … 60 s | 14 days |
//! | `RunStep` | host, steps | 10 s | 20 s | 1 s … 60 s, 5 attempts | 24 h |
//! | `UploadResult` | host, transfer | 10 s | 20 s | 1 s … 60 s | 14 days |
//! | `Comment` | host, transfer | 10 s | 20 s | 1 s … 60 s | 1 h |
//! | `Comment` | pipeline | 10 s | – | 1 s … 60 s | 1 h |
//! | `ReleaseHost` | host, transfer | – | 20 s | 1 s … 60 s | 5 min |
//!
//! *Silent for* is the heartbeat timeout: a worker that died is noticed after that. *Not begun for* is the
//! schedule-to-start timeout: a host always has a free slot for what it was claimed for, so a host that does not begin
//! is gone, and the run claims another one.
//!
//! Attempts are not counted: whether trying again is of any use is for the error to say ([`crate::failure`]), and an
//! outage of days, or a revoked key that nobody replaces over a holiday, must lose no file. Only a step is counted, for it depends on nothing outside of its host: what kills
//! its container five times will do so the sixth time. `ClaimHost` waits in line when there is more work than workers,
//! which can take days; a comment is not worth a day, and a run that could not look for results just makes them.

use std::time::Duration;

use fastio_pipeline::names::TaskQueue;
use temporalio_common::{ActivityCloseTimeouts, RetryPolicy};
use temporalio_sdk::{ActivityCancellationType, ActivityOptions, WorkflowCancellationToken};

/// A worker that says nothing for this long is dead.
const SILENT: Duration = Duration::from_secs(10);
/// A host that does not begin for this long is gone. Longer than a container takes to start again.
const NOT_BEGUN: Duration = Duration::from_secs(20);
/// A transfer in all. It may have to wait for a person: a key that was revoked, a plan that ran out. A holiday must not
/// cost a file.
const TRANSFER: Duration = Duration::from_hours(14 * 24);
/// A step in all.
const DAY: Duration = Duration::from_hours(24);
/// A place in line.
const WEEK: Duration = Duration::from_hours(7 * 24);
/// A comment, or a look for results, in all.
const HOUR: Duration = Duration::from_hours(1);
/// A release in all; after that the sweep of the host does it.
const RELEASE: Duration = Duration::from_mins(5);

/// How often a step may take its container down.
pub const STEP_ATTEMPTS: u32 = 5;

/// Most activities that one run has under way at the same time on one queue. A host has this many slots for each run
/// that it lets in.
pub const AT_ONCE: usize = 4;

/// Most hosts that a run claims before it gives up.
pub const HOSTS: u32 = 10;

/// Pause before the next host is claimed: doubled each time, from this …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … to this.
const LAST_PAUSE: Duration = Duration::from_mins(1);

/// The pause after the loss of the `lost`th host, counted from 1.
#[must_use]
pub fn pause_after(lost: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(lost.saturating_sub(1))).min(LAST_PAUSE)
}

/// `FindResults`, on the pipeline's own queue.
#[must_use]
pub fn find_results() -> ActivityOptions {
    on_queue(HOUR, LAST_PAUSE)
}

/// `ClaimHost`, on the pipeline's own queue.
#[must_use]
pub fn claim_host() -> ActivityOptions {
    on_queue(WEEK, Duration::from_secs(30))
}

/// `DownloadSource` and `UploadResult`.
#[must_use]
pub fn transfer(queue: &TaskQueue, summary: impl Into<String>) -> ActivityOptions {
    on_host(queue, TRANSFER, 0, summary)
}

/// `RunStep`.
#[must_use]
pub fn step(queue: &TaskQueue, summary: impl Into<String>) -> ActivityOptions {
    on_host(queue, DAY, STEP_ATTEMPTS, summary)
}

/// `Comment`, on the run's host or, without one, on the pipeline's own queue.
#[must_use]
pub fn comment(queue: Option<&TaskQueue>) -> ActivityOptions {
    match queue {
        Some(queue) => on_host(queue, HOUR, 0, ""),
        None => on_queue(HOUR, LAST_PAUSE),
    }
}

/// `ReleaseHost`: also when the run is cancelled.
#[must_use]
pub fn release_host(queue: &TaskQueue) -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(RELEASE))
        .task_queue(queue.as_str())
        .schedule_to_start_timeout(NOT_BEGUN)
        .retry_policy(retries(LAST_PAUSE, 0))
        .cancellation_token(WorkflowCancellationToken::new())
        .build()
}

fn on_queue(in_all: Duration, longest_pause: Duration) -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(in_all))
        .heartbeat_timeout(SILENT)
        .retry_policy(retries(longest_pause, 0))
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .build()
}

fn on_host(
    queue: &TaskQueue,
    in_all: Duration,
    attempts: u32,
    summary: impl Into<String>,
) -> ActivityOptions {
    let summary = Some(summary.into()).filter(|summary| !summary.is_empty());
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleToClose(in_all))
        .task_queue(queue.as_str())
        .schedule_to_start_timeout(NOT_BEGUN)
        .heartbeat_timeout(SILENT)
        .retry_policy(retries(LAST_PAUSE, attempts))
        // What was cancelled must have stopped before its files are removed.
        .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
        .maybe_summary(summary)
        .build()
}

fn retries(longest: Duration, attempts: u32) -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(FIRST_PAUSE)
        .maximum_interval(longest)
        .maximum_attempts(attempts)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> TaskQueue {
        TaskQueue::transfer_host(
            &TaskQueue::pipeline(&"fastio".parse().unwrap(), &"media/photos".parse().unwrap()),
            "a",
        )
    }

    #[test]
    fn every_activity_ends_some_day_and_a_dead_worker_is_noticed() {
        let queue = queue();
        let on_queue = [find_results(), claim_host(), comment(None)];
        let on_host = [transfer(&queue, ""), step(&queue, ""), comment(Some(&queue))];
        for options in on_queue.into_iter().chain(on_host) {
            assert!(options.close_timeouts.schedule_to_close().is_some(), "{options:?}");
            assert_eq!(options.heartbeat_timeout, Some(SILENT), "{options:?}");
            let bounded = options.task_queue.is_some();
            assert_eq!(options.schedule_to_start_timeout.is_some(), bounded, "{options:?}");
        }
    }

    #[test]
    fn a_transfer_outlasts_a_key_that_nobody_replaces_for_days() {
        let in_all = transfer(&queue(), "").close_timeouts.schedule_to_close();
        assert!(in_all >= Some(WEEK.saturating_mul(2)), "{in_all:?}");
    }

    #[test]
    fn only_steps_are_counted() {
        let attempts =
            |options: ActivityOptions| options.retry_policy.map(|policy| policy.maximum_attempts());
        assert_eq!(attempts(step(&queue(), "")), Some(STEP_ATTEMPTS));
        for options in [claim_host(), transfer(&queue(), ""), comment(None), release_host(&queue())] {
            assert_eq!(attempts(options), Some(0));
        }
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let pauses: Vec<u64> = (1..=HOSTS).map(|lost| pause_after(lost).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(pause_after(u32::MAX), LAST_PAUSE);
    }
}
