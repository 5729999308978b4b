//! Events that cannot be decided yet, because their files cannot be seen or read.

use std::time::Duration;

use fastio_pipeline::event::FileEvent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::intake::GRACE;
use crate::occasion::Occasion;

/// Pause between tries within [`GRACE`]: the file is only on its way, most likely.
const SOON: SignedDuration = SignedDuration::from_secs(2);

/// Longest pause between tries after it.
const SELDOM: SignedDuration = SignedDuration::from_mins(15);

/// How long a file that cannot be read is tried again. What has to be repaired by somebody is repaired within a working day,
/// and until then Temporal remembers the runs that another event about the file may have started.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// Most events that may wait for their files. Whoever reads or lists stops there until some are decided: if so many cannot
/// be, it is not the files, and nothing may be lost by it. It bounds what the workflow carries, to some hundred kilobytes.
pub const MAX_WAITING: usize = 500;

/// Most that a round of a listing or a backfill may leave over. It ends there, and following goes on with them.
pub const MAX_LEFT_OVER: usize = 100;

/// An event that cannot be decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Awaiting {
    /// The event.
    pub event: FileEvent,
    /// Why its file is looked at.
    #[serde(default = "read", skip_serializing_if = "is_read")]
    pub occasion: Occasion,
    /// When it was read first.
    pub since: Timestamp,
    /// When it was tried last; `None` if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Timestamp>,
}

impl Awaiting {
    /// An event that was just read.
    #[must_use]
    pub fn new(occasion: &Occasion, event: FileEvent) -> Self {
        Self { event, occasion: occasion.clone(), since: Timestamp::now(), tried: None }
    }

    /// When to try it next: soon at first, then after as long as it has waited by then, up to a limit.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        let Some(tried) = self.tried else { return self.since };
        let waited = tried.duration_since(self.since);
        let is_new = waited < SignedDuration::try_from(GRACE).unwrap_or(SELDOM);
        tried.checked_add(if is_new { SOON } else { waited.min(SELDOM) }).unwrap_or(tried)
    }

    /// How long it has waited.
    #[must_use]
    pub fn waited(&self, now: Timestamp) -> Duration {
        now.duration_since(self.since).try_into().unwrap_or_default()
    }

    /// Whether it has waited for as long as any event may.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) >= PATIENCE
    }
}

/// What every event waited for before listings left some over.
fn read() -> Occasion {
    Occasion::Feed
}

fn is_read(occasion: &Occasion) -> bool {
    *occasion == Occasion::Feed
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#"{"event":{"id":"evt-1","kind":"upload","workspace":"123","file":"2abc"},
        "since":"2026-10-05T12:00:00Z"}"#;

    #[test]
    fn the_longer_it_has_waited_the_more_seldom_it_is_tried() {
        let new: Awaiting = serde_json::from_str(READ).unwrap();
        let after = |seconds| new.since.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        for (tried, due) in [(0, 2), (59, 61), (60, 120), (300, 600), (3_600, 4_500)] {
            let awaiting = Awaiting { tried: Some(after(tried)), ..new.clone() };
            assert_eq!(awaiting.due(), after(due), "{tried}");
        }
        assert!(!new.is_over(after(86_399)) && new.is_over(after(86_400)));
        let mut now = after(60);
        let tries = std::iter::from_fn(|| {
            now = Awaiting { tried: Some(now), ..new.clone() }.due();
            (!new.is_over(now)).then_some(())
        });
        assert!(tries.count() <= 100, "one file that is never readable costs little");
    }

    #[test]
    fn an_event_that_was_stored_without_its_occasion_was_read() {
        let awaiting: Awaiting = serde_json::from_str(READ).unwrap();
        assert_eq!((&awaiting.occasion, awaiting.due()), (&Occasion::Feed, awaiting.since));
        for occasion in [Occasion::Relist, Occasion::Backfill("media/photos".parse().unwrap())] {
            let awaiting = Awaiting { occasion, ..awaiting.clone() };
            let stored = serde_json::to_string(&awaiting).unwrap();
            assert_eq!(serde_json::from_str::<Awaiting>(&stored).unwrap(), awaiting, "{stored}");
        }
    }
}
