//! When to read. Pure: every moment is an argument.

use std::time::Duration;

use tokio::time::Instant;

use super::Follow;

/// Least time from one reading to the next: a burst of events is read in few pages.
const GAP: Duration = Duration::from_millis(250);

/// Pause when the change feed says that there is more, but that it cannot be read yet (source: agent guide v1.41).
const STALLED: Duration = Duration::from_secs(10);

/// Readings after a nudge and the one at once: an event can be seen a moment later than its effect, and of many some later
/// than the first.
const AFTERWARDS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What a reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// Something new, and now all is read.
    Something,
    /// Nothing new.
    Nothing,
    /// There is more, but it cannot be read yet.
    Stalled,
}

/// When to read next.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// Between readings when nothing nudges.
    quiet: Duration,
    due: Instant,
    earliest: Instant,
    /// Readings that have to follow a nudge.
    afterwards: &'static [Duration],
}

impl Schedule {
    /// The first reading is due now.
    pub(super) fn new(follow: Follow, now: Instant) -> Self {
        let quiet = match follow {
            Follow::Live => Duration::from_mins(1),
            Follow::None | Follow::Net => Duration::from_secs(20),
        };
        Self { quiet, due: now, earliest: now, afterwards: &[] }
    }

    /// When to read next.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Something happened: read soon.
    pub(super) fn nudged(&mut self, now: Instant) {
        self.afterwards = &AFTERWARDS;
        self.due = self.due.min(now.max(self.earliest));
    }

    /// A reading ended.
    pub(super) fn read(&mut self, read: Read, now: Instant) {
        let pause = match (read, self.afterwards) {
            (Read::Stalled, _) => STALLED,
            (Read::Something | Read::Nothing, [next, rest @ ..]) => {
                self.afterwards = rest;
                *next
            }
            (Read::Something | Read::Nothing, []) => self.quiet,
        };
        self.earliest = now + if read == Read::Stalled { STALLED } else { GAP };
        self.due = now + pause;
    }
}

/// A token bucket: so many calls at once, and then one in each period.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    /// When the bucket would have been full with the calls so far.
    full: Instant,
    size: u32,
    period: Duration,
}

impl Bucket {
    /// For the event log, which allows 5 calls in 3 s, 15 in 30 s and 120 in 10 min (documentation page on events). Four at
    /// once and then one in six seconds stays below all three, with some left for others that use the key.
    pub(super) fn searches(now: Instant) -> Self {
        Self { full: now, size: 4, period: Duration::from_secs(6) }
    }

    /// Whether a call may be made at once.
    pub(super) fn is_free(&self, now: Instant) -> bool {
        self.clone().take(now) <= now
    }

    /// Takes one call, and says when it may be made.
    pub(super) fn take(&mut self, now: Instant) -> Instant {
        self.full = self.full.max(now) + self.period;
        let at = self.full.checked_sub(self.period * self.size).unwrap_or(now);
        at.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_limits_of_the_event_log_are_kept_by_whoever_always_wants_more() {
        let mut now = Instant::now();
        let mut bucket = Bucket::searches(now);
        let mut calls = Vec::new();
        while calls.len() < 400 {
            now = bucket.take(now);
            calls.push(now);
        }
        for (allowed, seconds) in [(5, 3), (15, 30), (120, 600)] {
            for window in calls.windows(allowed + 1) {
                let (first, last) = (window[0], window[allowed]);
                assert!(last.duration_since(first) > SECOND * seconds, "{allowed} in {seconds} s");
            }
        }
        assert_eq!(calls[3], calls[0], "a burst waits for nothing");
        // Whoever rests may hurry again.
        let later = now + SECOND * 60;
        assert_eq!([(); 4].map(|()| bucket.take(later)), [later; 4]);
        assert!(!bucket.is_free(later) && bucket.is_free(later + SECOND * 6));
    }

    #[test]
    fn a_nudge_is_followed_whatever_is_found() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Follow::Live, start);
        assert_eq!(schedule.due(), start);
        schedule.read(Read::Nothing, start);
        assert_eq!(schedule.due(), start + SECOND * 60);

        let nudge = start + SECOND * 5;
        schedule.nudged(nudge);
        assert_eq!(schedule.due(), nudge);
        schedule.read(Read::Nothing, nudge);
        assert_eq!(schedule.due(), nudge + SECOND);
        // The second file of a burst may be visible only later than the first.
        schedule.read(Read::Something, nudge + SECOND);
        assert_eq!(schedule.due(), nudge + SECOND * 4);
        schedule.read(Read::Nothing, nudge + SECOND * 4);
        assert_eq!(schedule.due(), nudge + SECOND * 64);

        schedule.nudged(nudge + SECOND * 4);
        assert_eq!(schedule.due(), nudge + SECOND * 4 + GAP, "a burst is read in few pages");
    }

    #[test]
    fn a_stalled_feed_is_left_alone_for_ten_seconds() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Follow::Net, start);
        schedule.read(Read::Stalled, start);
        schedule.nudged(start + SECOND);
        assert_eq!(schedule.due(), start + SECOND * 10);
        schedule.read(Read::Something, start + SECOND * 10);
        assert_eq!(schedule.due(), start + SECOND * 11, "the nudge still counts");
    }
}
