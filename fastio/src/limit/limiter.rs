//! The limiter of one key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::headers::{Limits, MAX_PAUSE, retry_at};
use super::window::Window;

/// Longest time that a call waits for its turn. A longer hold is reported at once: who waits for a minute should do
/// it where it is seen (a retry of a workflow, a requeue of a controller), not inside a call.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Most periods that are remembered of a class; the known one with several has three.
const MAX_WINDOWS: usize = 8;
/// Longest delay by which processes that were told the same moment are kept apart.
const MAX_SPREAD: Duration = Duration::from_secs(1);

/// Operations that a 429 stops together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// All that are not known to have numbers of their own.
    General,
    /// `/events/search/`: 5 calls in 3 s, 15 in 30 s, 120 in 10 min (documentation page on events). What stops the general
    /// ones stops it, too.
    EventSearch,
}

impl Class {
    fn of(operation: &str) -> Self {
        if operation == "events.search" { Self::EventSearch } else { Self::General }
    }
}

/// The limiter of one key: who wants to call asks it for a [`Permit`].
#[derive(Debug)]
pub(crate) struct Limiter {
    lanes: Mutex<Lanes>,
    /// From 0 to 1, a number of this process.
    spread: f64,
}

#[derive(Debug, Default)]
struct Lanes {
    general: Lane,
    event_search: Lane,
}

/// What is known about a class of operations. On the monotonic clock: a jump of the wall clock must not hold anybody.
#[derive(Debug, Default)]
struct Lane {
    closed_until: Option<Instant>,
    under_way: u64,
    /// By their number of calls: the service tells of one period in each reply, not always of the same.
    windows: BTreeMap<u64, Counted>,
}

/// A period, and the operations whose replies have told of it. Whether all endpoints share one is not published: one
/// with tighter numbers of its own must not slow the others down.
#[derive(Debug)]
struct Counted {
    window: Window,
    operations: BTreeSet<&'static str>,
}

/// Leave to make one call.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    operation: &'static str,
}

impl Limiter {
    pub(crate) fn new(spread: f64) -> Self {
        Self { lanes: Mutex::default(), spread }
    }

    /// Waits for the operation's turn, for at most [`MAX_WAIT`]; `Err` tells when it comes if that is later.
    pub(crate) async fn pass(self: &Arc<Self>, operation: &'static str) -> Result<Permit, SystemTime> {
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            let pause = match self.lock().admit(operation, Instant::now()) {
                Ok(()) => return Ok(Permit { limiter: self.clone(), operation }),
                Err(pause) => pause,
            };
            if Instant::now() + pause > deadline {
                return Err(SystemTime::now() + pause);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Nothing is remembered that a new limiter would not know.
    pub(super) fn is_idle(&self) -> bool {
        let (lanes, now) = (self.lock(), Instant::now());
        [&lanes.general, &lanes.event_search].iter().all(|lane| {
            lane.closed_until.is_none_or(|until| now >= until)
                && lane.windows.values().all(|counted| counted.window.is_over(now))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Learns from the head of the reply, which came at `at`.
    pub(crate) fn settle(self, status: StatusCode, headers: &HeaderMap, at: SystemTime) {
        let now = Instant::now();
        let here = |moment: SystemTime| moment.duration_since(at).unwrap_or(Duration::ZERO).min(MAX_PAUSE);
        let limits = Limits::from_headers(headers, at);
        let mut lanes = self.limiter.lock();
        let lane = lanes.lane(Class::of(self.operation));
        if status == StatusCode::TOO_MANY_REQUESTS
            && let Some(pause) = retry_at(status, headers, at).map(here)
        {
            let pause = pause + MAX_SPREAD.min(pause).mul_f64(self.limiter.spread);
            lane.closed_until = lane.closed_until.max(Some(now + pause));
        }
        if let (Some(available), Some(max @ 1..), Some(reset)) = (limits.available, limits.max, limits.reset)
        {
            // This call is counted already.
            lane.observe(self.operation, (max, available, now + here(reset)), now);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut lanes = self.limiter.lock();
        let lane = lanes.lane(Class::of(self.operation));
        lane.under_way = lane.under_way.saturating_sub(1);
    }
}

impl Lanes {
    fn lane(&mut self, class: Class) -> &mut Lane {
        match class {
            Class::General => &mut self.general,
            Class::EventSearch => &mut self.event_search,
        }
    }

    fn admit(&mut self, operation: &'static str, now: Instant) -> Result<(), Duration> {
        let general = self.general.hold(now);
        let lane = self.lane(Class::of(operation));
        let periods = lane.counting(operation).map(|window| window.pause(now)).max();
        let pause = general.max(lane.hold(now)).max(periods.unwrap_or_default());
        if !pause.is_zero() {
            return Err(pause);
        }
        lane.under_way = lane.under_way.saturating_add(1);
        lane.counting(operation).for_each(|window| window.take(now));
        Ok(())
    }
}

impl Lane {
    fn hold(&self, now: Instant) -> Duration {
        self.closed_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn counting(&mut self, operation: &'static str) -> impl Iterator<Item = &mut Window> {
        let counted = self.windows.values_mut().filter(move |counted| counted.operations.contains(operation));
        counted.map(|counted| &mut counted.window)
    }

    fn observe(
        &mut self,
        operation: &'static str,
        (max, available, reset): (u64, u64, Instant),
        now: Instant,
    ) {
        let others = self.under_way.saturating_sub(1);
        if let Some(counted) = self.windows.get_mut(&max) {
            counted.operations.insert(operation);
            return counted.window.observe(available, reset, others, now);
        }
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.retain(|_, counted| !counted.window.is_over(now));
        }
        if self.windows.len() < MAX_WINDOWS {
            let window = Window::new(max, available.saturating_sub(others), reset, now);
            self.windows.insert(max, Counted { window, operations: BTreeSet::from([operation]) });
        }
    }
}

#[cfg(test)]
mod tests;
