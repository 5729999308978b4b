//! Which bytes of a file are there.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A set of bytes of a file, as ordered ranges that do not touch each other.
///
/// A download in one stream only ever has a prefix. The set is what a download in several ranges needs, and what
/// heartbeats carry already, so that such a download can go on where an older worker stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// The first `length` bytes.
    #[must_use]
    pub fn prefix(length: u64) -> Self {
        Self(if length == 0 { Vec::new() } else { vec![(0, length)] })
    }

    /// Adds bytes.
    pub fn insert(&mut self, added: &Range<u64>) {
        if added.is_empty() {
            return;
        }
        let (mut start, mut end) = (added.start, added.end);
        // Whatever overlaps or touches the new range becomes part of it.
        self.0.retain(|&(from, to)| {
            let apart = to < start || from > end;
            if !apart {
                start = start.min(from);
                end = end.max(to);
            }
            apart
        });
        let at = self.0.partition_point(|&(from, _)| from < start);
        self.0.insert(at, (start, end));
    }

    /// The first bytes that are missing of a file of `size` bytes: up to the next ones that are there.
    #[must_use]
    pub fn first_missing(&self, size: u64) -> Option<Range<u64>> {
        let (start, next) = match self.0.as_slice() {
            [(0, end), rest @ ..] => (*end, rest.first()),
            ranges => (0, ranges.first()),
        };
        let end = next.map_or(size, |&(from, _)| from.min(size));
        (start < end).then_some(start..end)
    }

    /// How many bytes are there.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().map(|&(from, to)| to.saturating_sub(from)).sum()
    }

    /// No byte is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_meet_become_one() {
        let mut ranges = Ranges::default();
        for range in [10..20, 30..40, 0..5, 20..30, 50..60, 5..5] {
            ranges.insert(&range);
        }
        assert_eq!(ranges, Ranges(vec![(0, 5), (10, 40), (50, 60)]));
        assert_eq!(ranges.len(), 45);
        ranges.insert(&(3..55));
        assert_eq!(ranges, Ranges::prefix(60));
    }

    #[test]
    fn what_is_missing_is_found_from_the_start() {
        assert_eq!(Ranges::default().first_missing(7), Some(0..7));
        assert_eq!(Ranges::default().first_missing(0), None);
        assert_eq!(Ranges::prefix(3).first_missing(7), Some(3..7));
        assert_eq!(Ranges::prefix(7).first_missing(7), None);
        let mut ranges = Ranges::prefix(3);
        ranges.insert(&(5..7));
        assert_eq!(ranges.first_missing(9), Some(3..5));
        ranges.insert(&(3..5));
        assert_eq!(ranges.first_missing(9), Some(7..9));
    }

    #[test]
    fn heartbeats_carry_pairs() {
        assert_eq!(serde_json::to_string(&Ranges::prefix(9)).unwrap(), "[[0,9]]");
    }
}
