//! One period of a limit, as far as its replies have told.

use std::time::Duration;

use tokio::time::Instant;

/// Ends of a period that are no further apart are the same: the service tells them in whole seconds.
const TOLERANCE: Duration = Duration::from_millis(1_500);
/// The part of a period's calls in which it is slowed down: a quarter.
const LOW_WATER: u64 = 4;
/// The largest share of others that is believed.
const MAX_SHARE: f64 = 100.0;

/// So many calls until a moment, for all users of a key together.
#[derive(Debug, Clone)]
pub(super) struct Window {
    max: u64,
    /// What the last reply said, the lowest if replies have overtaken each other.
    told: u64,
    /// Our own replies since `told` last fell.
    own: u64,
    /// Calls that may still be made, those under way taken off.
    left: u64,
    reset: Instant,
    /// `reset` is a guess: the period is new, and no reply has told of it.
    guessed: bool,
    /// The longest time to the end that was seen, as a guess at the length.
    length: Duration,
    /// How many times faster the count falls than by our own calls, at least 1.
    share: f64,
    /// When the last call was made.
    last: Option<Instant>,
}

impl Window {
    pub(super) fn new(max: u64, available: u64, reset: Instant, now: Instant) -> Self {
        let length = reset.saturating_duration_since(now);
        let left = available.min(max);
        Self { max, told: left, own: 0, left, reset, guessed: false, length, share: 1.0, last: None }
    }

    /// Learns from a reply, with `under_way` calls that the service may not have counted yet.
    pub(super) fn observe(&mut self, available: u64, reset: Instant, under_way: u64, now: Instant) {
        let available = available.min(self.max);
        let left = available.saturating_sub(under_way);
        if self.guessed || reset > self.reset + TOLERANCE {
            let (share, last, length) = (self.share, self.last, self.length);
            let new = Self::new(self.max, available, reset, now);
            *self = Self { share, last, left, length: length.max(new.length), ..new };
            return;
        }
        if reset + TOLERANCE < self.reset {
            // A reply of the period before, which was overtaken.
            return;
        }
        self.own = self.own.saturating_add(1);
        if available < self.told {
            let seen = ratio(self.told - available, self.own);
            self.share = f64::midpoint(self.share, seen).clamp(1.0, MAX_SHARE);
            self.told = available;
            self.own = 0;
        }
        self.left = self.left.min(left);
    }

    /// How long the next call has to wait.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        let until = match self.last {
            _ if self.left == 0 => self.reset,
            Some(last) if self.left <= self.max / LOW_WATER => {
                let rest = self.reset.saturating_duration_since(last);
                let gap = rest.div_f64(ratio(self.left + 1, 1)).mul_f64(self.share);
                last + gap.min(rest)
            }
            _ => return Duration::ZERO,
        };
        until.saturating_duration_since(now)
    }

    /// Takes a call.
    pub(super) fn take(&mut self, now: Instant) {
        if now >= self.reset {
            // A new period, of which nothing is known yet: our part of it, until a reply tells.
            self.left = (self.max / whole(self.share)).max(1);
            self.told = self.max;
            self.own = 0;
            self.reset = now + self.length.max(TOLERANCE);
            self.guessed = true;
        }
        self.left = self.left.saturating_sub(1);
        self.last = Some(now);
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.reset
    }
}

/// Rounded up; the share is small.
fn whole(share: f64) -> u64 {
    (1..=100).find(|whole| ratio(*whole, 1) >= share).unwrap_or(100)
}

fn ratio(dividend: u64, divisor: u64) -> f64 {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(dividend) / number(divisor).max(1.0)
}
