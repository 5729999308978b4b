//! What is known about the operations that a 429 stops together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::window::{Report, Window};

/// Most periods that are remembered of a class; the known one with several has three.
pub(super) const MAX_WINDOWS: usize = 8;
/// The service has counted a call that is older, however long its answer takes: an upload of minutes, a long poll.
const COUNTED: Duration = Duration::from_secs(2);

/// One class of operations. On the monotonic clock: a jump of the wall clock must not hold anybody.
#[derive(Debug, Default)]
pub(super) struct Lane {
    closed_until: Option<Instant>,
    /// The service tells of one period in each reply, not always of the same.
    windows: Vec<Counted>,
    /// Calls under way that the service may not have counted yet, by their numbers.
    fresh: BTreeMap<CallNumber, Started>,
    calls: u64,
}

/// A period, and the operations whose replies have told of it. Whether all endpoints share one is not published: one
/// with tighter numbers of its own must not slow the others down.
#[derive(Debug)]
struct Counted {
    window: Window,
    operations: BTreeSet<&'static str>,
}

/// A call under way.
#[derive(Debug)]
struct Started {
    operation: &'static str,
    at: Instant,
}

/// The number of a call in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallNumber(u64);

impl Lane {
    /// How long every operation of the class has to wait.
    pub(super) fn hold(&self, now: Instant) -> Duration {
        self.closed_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How long an operation has to wait.
    pub(super) fn pause(&self, operation: &str, now: Instant) -> Duration {
        let counting = self.windows.iter().filter(|counted| counted.operations.contains(operation));
        counting.map(|counted| counted.window.pause(now)).fold(self.hold(now), Duration::max)
    }

    /// Takes a call, which is under way until [`Self::end`].
    pub(super) fn take(&mut self, operation: &'static str, now: Instant) -> CallNumber {
        self.windows.retain(|counted| !counted.window.is_refuted(now));
        let counting = self.windows.iter_mut().filter(|counted| counted.operations.contains(operation));
        counting.for_each(|counted| counted.window.take(now));
        self.fresh.retain(|_, call| call.is_fresh(now));
        let number = CallNumber(self.calls);
        self.calls = self.calls.wrapping_add(1);
        self.fresh.insert(number, Started { operation, at: now });
        number
    }

    /// A call is no longer under way.
    pub(super) fn end(&mut self, call: CallNumber) {
        self.fresh.remove(&call);
    }

    /// No call before this moment; a shorter hold does not open a longer one.
    pub(super) fn close(&mut self, until: Instant) {
        self.closed_until = self.closed_until.max(Some(until));
    }

    /// Learns from the reply to a call that is no longer under way.
    pub(super) fn observe(&mut self, operation: &'static str, report: Report, now: Instant) {
        let running = self.windows.iter().position(|counted| counted.window.tells_of(report));
        if running.is_none() && self.windows.iter().any(|counted| counted.window.outlives(report, now)) {
            return;
        }
        let about = running.or_else(|| self.continued_by(report, now));
        match about.and_then(|index| self.windows.get_mut(index)) {
            Some(Counted { window, operations }) => {
                operations.insert(operation);
                window.observe(report, under_way(&self.fresh, operations, now), now);
            }
            None => self.remember(operation, report, now),
        }
    }

    /// The window that a report may be about the next period of: the one whose length is the nearest.
    fn continued_by(&self, report: Report, now: Instant) -> Option<usize> {
        let windows = self.windows.iter().map(|counted| &counted.window).enumerate();
        let fitting = windows.filter(|(_, window)| window.may_become(report, now));
        fitting.min_by_key(|(_, window)| window.length()).map(|(index, _)| index)
    }

    fn remember(&mut self, operation: &'static str, report: Report, now: Instant) {
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.retain(|counted| !counted.window.is_over(now));
        }
        if self.windows.len() < MAX_WINDOWS {
            let operations = BTreeSet::from([operation]);
            let window = Window::new(report, under_way(&self.fresh, &operations, now), now);
            self.windows.push(Counted { window, operations });
        }
    }

    /// Nothing is remembered that a new lane would not know.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.hold(now).is_zero() && self.windows.iter().all(|counted| counted.window.is_over(now))
    }
}

/// How many calls of these operations the service may not have counted yet.
fn under_way(
    fresh: &BTreeMap<CallNumber, Started>,
    operations: &BTreeSet<&'static str>,
    now: Instant,
) -> u64 {
    let counting = fresh.values().filter(|call| call.is_fresh(now) && operations.contains(call.operation));
    u64::try_from(counting.count()).unwrap_or(u64::MAX)
}

impl Started {
    fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < COUNTED
    }
}

#[cfg(test)]
mod tests;
