//! One period of a limit, as far as its replies have told.

use std::time::Duration;

use tokio::time::Instant;

/// Ends of a period that are no further apart are the same: the service tells them in whole seconds.
pub(super) const TOLERANCE: Duration = Duration::from_millis(1_500);
/// The part of a period's calls in which it is slowed down: a quarter.
const LOW_WATER: u64 = 4;
/// The largest share of others that is believed.
const MAX_SHARE: f64 = 100.0;

/// What one reply says about a period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    /// Calls per period.
    pub(super) max: u64,
    /// Calls left; the one that was answered is counted already.
    pub(super) available: u64,
    /// When the period ends.
    pub(super) reset: Instant,
}

/// So many calls until a moment, for all users of a key together.
#[derive(Debug, Clone)]
pub(super) struct Window {
    max: u64,
    /// What the last reply said, the lowest if replies have overtaken each other.
    told: u64,
    /// Our own calls since `told` last fell, and those that the service may not have counted then.
    own: u64,
    /// Calls that may still be made, those under way taken off.
    left: u64,
    reset: Instant,
    /// The period is a guess: it follows on one that was told, and no reply has told of it.
    guessed: bool,
    /// The longest time to the end that was seen, as a guess at the length.
    length: Duration,
    /// How many times faster the count falls than by our own calls, at least 1.
    share: f64,
    /// When the last call was made.
    last: Option<Instant>,
}

impl Window {
    /// A period that nothing was known of, with `under_way` calls that the service may not have counted yet.
    pub(super) fn new(report: Report, under_way: u64, now: Instant) -> Self {
        let told = report.available.min(report.max);
        Self {
            max: report.max,
            told,
            own: under_way,
            left: told.saturating_sub(under_way),
            reset: report.reset,
            guessed: false,
            length: report.reset.saturating_duration_since(now),
            share: 1.0,
            last: None,
        }
    }

    /// The report is about this very period: a limit of as many calls that ends at the same moment.
    ///
    /// Limits with the same number of calls and different lengths (15 in 30 s, 15 in 10 min) can only be told apart by
    /// their ends and lengths. While two end together they are one window, and the lower count holds. A report that neither
    /// this nor [`Self::may_become`] places gets a window of its own, and the old one holds until its told end as well:
    /// that is the stricter reading. If both were the same limit, the old one goes with its next guess.
    pub(super) fn tells_of(&self, report: Report) -> bool {
        let apart = self.reset.saturating_duration_since(report.reset)
            + report.reset.saturating_duration_since(self.reset);
        self.max == report.max && !self.guessed && apart <= TOLERANCE
    }

    /// The report is about a period that is over, by a reply that was overtaken: nothing is to be learned from it.
    pub(super) fn outlives(&self, report: Report, now: Instant) -> bool {
        let over = report.reset <= now + TOLERANCE;
        self.max == report.max && over && self.reset > report.reset + TOLERANCE
    }

    /// The report may be about the next period of the same limit. No period is longer than the limit's; and this one has
    /// ended, or is a guess, or the report comes from a limit whose end is always one whole length away. Two ends of one
    /// limit are not ahead at the same time otherwise.
    pub(super) fn may_become(&self, report: Report, now: Instant) -> bool {
        let rest = report.reset.saturating_duration_since(now);
        let sliding = report.reset > self.reset && rest + TOLERANCE >= self.length;
        self.max == report.max
            && rest <= self.length + TOLERANCE
            && (self.guessed || sliding || self.reset <= now + TOLERANCE)
    }

    /// Learns from a report that is about this period or the next one, with `under_way` calls that the service may not
    /// have counted yet.
    pub(super) fn observe(&mut self, report: Report, under_way: u64, now: Instant) {
        if !self.tells_of(report) {
            let new = Self::new(report, under_way, now);
            let length = self.length.max(new.length);
            *self = Self { length, share: self.share, last: self.last, ..new };
            return;
        }
        let available = report.available.min(self.max);
        if available < self.told {
            let seen = ratio(self.told - available, self.own.saturating_sub(under_way));
            self.share = f64::midpoint(self.share, seen).clamp(1.0, MAX_SHARE);
            self.told = available;
            self.own = under_way;
        }
        self.left = self.left.min(available.saturating_sub(under_way));
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
        if self.is_over(now) {
            // A new period, of which nothing is known yet: our part of it, until a reply tells.
            self.left = (self.max / whole(self.share)).max(1);
            self.told = self.max;
            self.own = 0;
            self.reset = now + self.length.max(TOLERANCE);
            self.guessed = true;
        }
        self.own = self.own.saturating_add(1);
        self.left = self.left.saturating_sub(1);
        self.last = Some(now);
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.reset
    }

    /// It was a guess to its end, though calls were made in it.
    pub(super) fn is_refuted(&self, now: Instant) -> bool {
        self.guessed && self.is_over(now)
    }

    pub(super) fn length(&self) -> Duration {
        self.length
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
