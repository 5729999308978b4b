//! Addresses that fail again and again.
//!
//! Every refused request takes a token from the bucket of its source; tokens come back with time. While a bucket is empty
//! its source is *limited*: whatever is refused is answered 429, and the large bodies of all limited sources together may have
//! only a part of the budget (see [`crate::body`]). A signed delivery takes no token and is accepted from a limited source
//! as from any other, so an attacker behind the same proxy as Fast.io cannot shut it out. What the attacker costs is bounded:
//! one head, one body within that part, one HMAC.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::source::Source;

/// Most sources that are remembered one by one. More than these that fail share one bucket.
const SOURCES: usize = 4096;

/// How many refused requests a source may have.
#[derive(Debug, Clone, Copy)]
pub struct AbuseLimits {
    /// In one go.
    pub burst: u32,
    /// For long.
    pub per_minute: u32,
}

impl Default for AbuseLimits {
    /// A misconfigured sender or a person who tries things stays below this; a scanner does not.
    fn default() -> Self {
        Self { burst: 20, per_minute: 30 }
    }
}

/// How often a new offender is worth a line in the log. All of them are counted.
const LINE: Duration = Duration::from_mins(1);

/// The buckets of all sources.
#[derive(Debug)]
pub struct Abuse {
    /// Time in which a token comes back.
    token: Duration,
    /// Time in which a whole bucket comes back.
    burst: Duration,
    buckets: Mutex<Buckets>,
}

/// A bucket is kept as the moment at which it is full again (the generic cell rate algorithm): no timer fills it.
#[derive(Debug, Default)]
struct Buckets {
    full_at: HashMap<Source, Instant>,
    /// Shared by the sources for which there is no room.
    others: Option<Instant>,
    swept: Option<Instant>,
    logged: Option<Instant>,
}

impl Abuse {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(limits: AbuseLimits) -> Self {
        let token = Duration::from_mins(1) / limits.per_minute.max(1);
        Self { token, burst: token * limits.burst.max(1), buckets: Mutex::default() }
    }

    /// Whether the source's bucket is empty.
    #[must_use]
    pub fn is_limited(&self, source: Source, now: Instant) -> bool {
        let buckets = self.lock();
        let full_at = buckets.full_at.get(&source).copied().or(buckets.others);
        full_at.is_some_and(|full_at| self.is_empty(full_at, now))
    }

    /// Takes a token for a refused request. True if that was the last one: the source is limited from now on.
    pub fn failed(&self, source: Source, now: Instant) -> bool {
        let mut buckets = self.lock();
        let full_at = buckets.of(source, now);
        let was_empty = self.is_empty(*full_at, now);
        // Never emptier than empty: a source that stops is free again after the time of one token.
        *full_at = ((*full_at).max(now) + self.token).min(now + self.burst);
        let is_news = !was_empty && self.is_empty(*full_at, now);
        if is_news && buckets.logged.is_none_or(|logged| now.duration_since(logged) > LINE) {
            buckets.logged = Some(now);
            drop(buckets);
            tracing::warn!(%source, "limited: it fails again and again; signed deliveries still pass");
        }
        is_news
    }

    /// Whether less than one token is left.
    fn is_empty(&self, full_at: Instant, now: Instant) -> bool {
        full_at.saturating_duration_since(now) + self.token > self.burst
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buckets {
    /// The bucket of a source. Makes room by forgetting full ones, at most once a second: that goes through all.
    fn of(&mut self, source: Source, now: Instant) -> &mut Instant {
        let is_due = self.swept.is_none_or(|swept| now.duration_since(swept) > Duration::from_secs(1));
        if self.full_at.len() >= SOURCES && is_due {
            self.swept = Some(now);
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        if self.full_at.len() >= SOURCES && !self.full_at.contains_key(&source) {
            return self.others.get_or_insert(now);
        }
        self.full_at.entry(source).or_insert(now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(n: u32) -> Source {
        IpAddr::from(Ipv4Addr::from(n)).into()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_free_and_tokens_come_back() {
        // A token every two seconds.
        let abuse = Abuse::new(AbuseLimits { burst: 20, per_minute: 30 });
        let (bad, good, start) = (source(1), source(2), Instant::now());
        assert!((1..20).all(|_| !abuse.failed(bad, start)));
        assert!(!abuse.is_limited(bad, start));
        assert!(abuse.failed(bad, start) && abuse.is_limited(bad, start));
        assert!(!abuse.is_limited(good, start));

        assert!((0..10_000).all(|_| !abuse.failed(bad, start)));
        assert!(abuse.is_limited(bad, start + SECOND));
        let later = start + 2 * SECOND;
        assert!(!abuse.is_limited(bad, later));
        assert!(abuse.failed(bad, later) && abuse.is_limited(bad, later));

        let later = later + 40 * SECOND;
        assert!((1..20).all(|_| !abuse.failed(bad, later)));
        assert!(!abuse.is_limited(bad, later));
    }

    #[test]
    fn the_table_is_bounded() {
        let abuse = Abuse::new(AbuseLimits::default());
        let (sources, start) = (u32::try_from(SOURCES).unwrap(), Instant::now());
        for n in 0..sources + 1000 {
            abuse.failed(source(n), start);
        }
        assert_eq!(abuse.lock().full_at.len(), SOURCES);
        // Who finds no room shares a bucket; who has one of its own is not touched by that.
        let stranger = source(sources + 5000);
        assert!(abuse.is_limited(stranger, start));
        assert!(!abuse.is_limited(source(0), start));

        let later = start + 120 * SECOND;
        abuse.failed(stranger, later);
        assert_eq!(abuse.lock().full_at.len(), 1);
        assert!(!abuse.is_limited(stranger, later));
    }
}
