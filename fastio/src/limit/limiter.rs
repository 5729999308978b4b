//! The limiter of one key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::headers::{Limits, MAX_PAUSE, retry_at};
use super::lane::{CallNumber, Lane};
use super::window::Report;

/// Longest time that a call waits for its turn. A longer hold is reported at once: who waits for a minute should do
/// it where it is seen (a retry of a workflow, a requeue of a controller), not inside a call.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Longest delay by which processes that were told the same moment are kept apart.
const MAX_SPREAD: Duration = Duration::from_secs(1);

/// Operations that a 429 stops together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// All that are not known to have numbers of their own. What stops these stops the others, too.
    General,
    /// `/events/search/`: 5 calls in 3 s, 15 in 30 s, 120 in 10 min (documentation page on events).
    EventSearch,
    /// Downloads by token. They carry no key, so the service may count them apart; by whom, no source says. What their
    /// replies tell is taken to be about the tokens of the one key that made them.
    ByToken,
}

impl Class {
    fn of(operation: &str) -> Self {
        match operation {
            "events.search" => Self::EventSearch,
            "storage.read" => Self::ByToken,
            _ => Self::General,
        }
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
    by_token: Lane,
}

/// Leave to make one call, which is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    operation: &'static str,
    call: CallNumber,
}

impl Limiter {
    pub(crate) fn new(spread: f64) -> Self {
        Self { lanes: Mutex::default(), spread }
    }

    /// Waits for the operation's turn, for at most [`MAX_WAIT`]; `Err` tells when it comes if that is later.
    pub(crate) async fn pass(self: &Arc<Self>, operation: &'static str) -> Result<Permit, SystemTime> {
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            let pause = match self.try_pass(operation) {
                Ok(permit) => return Ok(permit),
                Err(pause) => pause,
            };
            if Instant::now() + pause > deadline {
                return Err(SystemTime::now() + pause);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Leave to call now; `Err` tells how long it is too early.
    fn try_pass(self: &Arc<Self>, operation: &'static str) -> Result<Permit, Duration> {
        let (mut lanes, now) = (self.lock(), Instant::now());
        let pause = lanes.pause(operation, now);
        if !pause.is_zero() {
            return Err(pause);
        }
        let call = lanes.of(operation).take(operation, now);
        Ok(Permit { limiter: self.clone(), operation, call })
    }

    /// Nothing is remembered that a new limiter would not know.
    pub(super) fn is_idle(&self) -> bool {
        let (lanes, now) = (self.lock(), Instant::now());
        [&lanes.general, &lanes.event_search, &lanes.by_token].iter().all(|lane| lane.is_idle(now))
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
        let lane = lanes.of(self.operation);
        // This call is counted already.
        lane.end(self.call);
        if status == StatusCode::TOO_MANY_REQUESTS
            && let Some(pause) = retry_at(status, headers, at).map(here)
        {
            lane.close(now + pause + MAX_SPREAD.min(pause).mul_f64(self.limiter.spread));
        }
        if let (Some(available), Some(max @ 1..), Some(reset)) = (limits.available, limits.max, limits.reset)
        {
            lane.observe(self.operation, Report { max, available, reset: now + here(reset) }, now);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.lock().of(self.operation).end(self.call);
    }
}

impl Lanes {
    fn of(&mut self, operation: &str) -> &mut Lane {
        match Class::of(operation) {
            Class::General => &mut self.general,
            Class::EventSearch => &mut self.event_search,
            Class::ByToken => &mut self.by_token,
        }
    }

    fn pause(&mut self, operation: &str, now: Instant) -> Duration {
        let general = self.general.hold(now);
        general.max(self.of(operation).pause(operation, now))
    }
}

#[cfg(test)]
mod tests;
