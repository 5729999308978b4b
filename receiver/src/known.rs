//! Sources that a signed delivery came from not long ago.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::source::Source;

/// How long a source is known after its last signed delivery: longer than the pauses of a sender that has anything to send.
const KNOWN_FOR: Duration = Duration::from_mins(10);

/// Most sources that are known. A sender has a few addresses; whoever records a delivery that has no timestamp can send it from many.
const SOURCES: usize = 1024;

/// The sources, with the time of the last signed delivery of each.
#[derive(Debug, Default)]
pub(crate) struct Known(HashMap<Source, Instant>);

impl Known {
    /// A signed delivery came from there. If there is no room, the source is forgotten that was silent the longest.
    pub(crate) fn remember(&mut self, source: Source, now: Instant) {
        if self.0.len() >= SOURCES && !self.0.contains_key(&source) {
            self.0.retain(|_, last| is_recent(*last, now));
            // Goes through all of them, at the cost of somebody who has a signed delivery to send.
            let oldest = self.0.iter().min_by_key(|(_, last)| **last).map(|(source, _)| *source);
            if let Some(oldest) = oldest.filter(|_| self.0.len() >= SOURCES) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(source, now);
    }

    /// Whether a signed delivery came from there not long ago.
    pub(crate) fn contains(&self, source: Source, now: Instant) -> bool {
        self.0.get(&source).is_some_and(|last| is_recent(*last, now))
    }
}

fn is_recent(last: Instant, now: Instant) -> bool {
    now.saturating_duration_since(last) < KNOWN_FOR
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(n: usize) -> Source {
        IpAddr::from(Ipv4Addr::from(u32::try_from(n).unwrap())).into()
    }

    #[test]
    fn a_source_is_known_for_a_while_after_its_last_delivery() {
        let (mut known, start) = (Known::default(), Instant::now());
        known.remember(source(1), start);
        known.remember(source(1), start + KNOWN_FOR / 2);
        known.remember(source(2), start);
        let later = start + KNOWN_FOR;
        assert!(known.contains(source(1), later) && !known.contains(source(2), later));
        assert!(!known.contains(source(1), later + KNOWN_FOR / 2));
        assert!(!known.contains(source(3), start));
    }

    #[test]
    fn the_number_of_known_sources_is_bounded() {
        let (mut known, start) = (Known::default(), Instant::now());
        let step = Duration::from_millis(1);
        let at = |n: usize| start + step * u32::try_from(n).unwrap();
        for n in 0..SOURCES {
            known.remember(source(n), at(n));
        }
        // The first one sends again, so the second is the one that is silent the longest.
        known.remember(source(0), at(SOURCES));
        known.remember(source(SOURCES), at(SOURCES + 1));
        assert_eq!(known.0.len(), SOURCES);
        let now = at(SOURCES + 2);
        assert!(known.contains(source(0), now) && known.contains(source(SOURCES), now));
        assert!(!known.contains(source(1), now) && known.contains(source(2), now));
        // Those whose time is over make room for all at once.
        known.remember(source(SOURCES + 1), now + KNOWN_FOR);
        assert_eq!(known.0.len(), 1);
    }
}
