//! Growing pauses: one sequence per object, one per watch.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::runtime::utils::Backoff;

/// Doubling pauses, each up to a quarter longer by chance, so that what failed together is not tried again together.
#[derive(Debug, Clone)]
pub struct Exponential {
    first: Duration,
    last: Duration,
    next: Duration,
}

impl Exponential {
    /// Pauses from `first` to `last`.
    #[must_use]
    pub fn new(first: Duration, last: Duration) -> Self {
        Self { first, last, next: first }
    }
}

impl Iterator for Exponential {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.last);
        Some(with_jitter(pause))
    }
}

impl Backoff for Exponential {
    fn reset(&mut self) {
        self.next = self.first;
    }
}

/// `pause`, or up to a quarter more.
#[must_use]
pub fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(1.0..1.25))
}

/// First and last pause of an object that fails again and again.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_mins(1);

/// Sequences that nobody asked for in this time are of objects that are gone.
const FORGET_AFTER: Duration = Duration::from_hours(1);

/// One sequence for each object that fails, keyed by uid: an object of the same name made anew starts anew.
#[derive(Debug, Default)]
pub struct PerObject {
    failing: Mutex<HashMap<String, (Exponential, Instant)>>,
}

impl PerObject {
    /// The pause after one more failure.
    pub fn failed(&self, uid: &str) -> Duration {
        let now = Instant::now();
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.retain(|_, (_, asked)| now.duration_since(*asked) < FORGET_AFTER);
        let (sequence, asked) =
            failing.entry(uid.to_owned()).or_insert_with(|| (Exponential::new(FIRST, LAST), now));
        *asked = now;
        sequence.next().unwrap_or(LAST)
    }

    /// The object is well: its next failure starts at the first pause.
    pub fn succeeded(&self, uid: &str) {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(pause: Duration, seconds: f64) {
        let pause = pause.as_secs_f64();
        assert!((seconds..seconds * 1.25).contains(&pause), "{pause} s is not about {seconds} s");
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_start_anew_after_success() {
        let backoff = PerObject::default();
        for seconds in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            about(backoff.failed("a"), seconds);
        }
        about(backoff.failed("b"), 1.0);
        backoff.succeeded("a");
        about(backoff.failed("a"), 1.0);
        about(backoff.failed("b"), 2.0);
    }

    #[test]
    fn a_watch_starts_anew_after_reset() {
        let mut pauses = Exponential::new(Duration::from_millis(200), Duration::from_secs(5));
        assert!(pauses.by_ref().take(10).last().unwrap() >= Duration::from_secs(5));
        Backoff::reset(&mut pauses);
        about(pauses.next().unwrap(), 0.2);
    }
}
