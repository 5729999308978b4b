//! Reading the event log of the workspace, for keys that may not read the change feed.
//!
//! The log has no position to go on from, and its newest rows come first. So everything since a watermark is read, page by
//! page; only when the last page is done does the watermark move to the newest row. It is asked for with an overlap, since
//! rows can appear late, and what was seen in it is remembered.

use std::collections::BTreeMap;

use fastio::{ErrorClass, EventCursor, EventId, EventSearch, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Feed;
use super::changes::{Paged, Then};
use super::rows::{Row, events};
use crate::intake::Undecided;
use crate::occasion::Occasion;

/// How late a row may appear in the log.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

/// Most rows that are remembered as seen. Where there are more, a row that appears late among them is left to a listing.
const MAX_SEEN: usize = 2_000;

/// How far the event log was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// The newest row that was there when everything had been read.
    watermark: Timestamp,
    /// Rows since then, and those of the overlap, that were read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<EventId, Timestamp>,
    /// Where the reading under way goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sweep: Option<EventCursor>,
    /// Rows up to then were read and forgotten, in this reading: the next one does not ask for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten: Option<Timestamp>,
    /// Rows up to then are not read (again).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<Timestamp>,
}

impl Search {
    /// Reads from a moment on. What the overlap has then was seen.
    #[must_use]
    pub fn new(watermark: Timestamp, seen: impl IntoIterator<Item = (EventId, Option<Timestamp>)>) -> Self {
        let seen = seen.into_iter().map(|(id, at)| (id, at.unwrap_or(watermark))).collect();
        let mut search = Self { watermark, seen, sweep: None, forgotten: None, floor: None };
        search.read(None);
        search
    }

    /// The same, from the newest row again.
    #[must_use]
    pub(super) fn again(&self) -> Self {
        Self { sweep: None, forgotten: None, ..self.clone() }
    }

    /// What is asked for.
    pub(super) fn query(&self, profile: &WorkspaceId, names: &[&str]) -> EventSearch {
        EventSearch {
            created_min: self.floor.max(Some(before(self.watermark))),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            ..EventSearch::new(profile.clone())
        }
    }

    /// Leaves out what was seen, and remembers the rest.
    fn admit(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let (watermark, floor) = (self.watermark, self.floor);
        rows.into_iter()
            .filter(|row| row.created.is_none() || row.created > floor)
            .filter(|row| self.seen.insert(row.id.clone(), row.created.unwrap_or(watermark)).is_none())
            .collect()
    }

    /// A page was read; `next` is where the next one is.
    fn read(&mut self, next: Option<EventCursor>) {
        let is_done = next.is_none();
        self.sweep = next;
        if is_done {
            self.watermark = self.seen.values().copied().fold(self.watermark, Timestamp::max);
            let oldest = before(self.watermark);
            self.seen.retain(|_, at| *at >= oldest);
        }
        if self.seen.len() > MAX_SEEN {
            let mut moments: Vec<Timestamp> = self.seen.values().copied().collect();
            moments.sort_unstable();
            if let Some(&oldest) = moments.iter().rev().nth(MAX_SEEN) {
                self.seen.retain(|_, at| *at > oldest);
                self.forgotten = self.forgotten.max(Some(oldest));
            }
        }
        if is_done {
            // Not before: older rows are on later pages.
            self.floor = self.floor.max(self.forgotten.take());
        }
    }
}

fn before(at: Timestamp) -> Timestamp {
    at.checked_sub(OVERLAP).unwrap_or(at)
}

impl Feed {
    /// Reads and decides one page of the events of these names in the event log.
    pub(super) async fn page_of_search(
        &self,
        profile: &WorkspaceId,
        search: &Search,
        names: &[&str],
    ) -> Result<Paged<Search>, Undecided> {
        self.search_slot().await;
        let cursor = search.sweep.as_ref();
        let page = match self.client.search_events(&search.query(profile, names), cursor).await {
            Ok(page) => page,
            Err(error) if error.is_closed_to_key() => return Ok(Paged::Lost(error.to_string())),
            // The position within this reading is not good any more: read it again from its newest row.
            Err(error) if cursor.is_some() && error.class() == ErrorClass::Invalid => {
                tracing::warn!(%error, "reading the event log starts over");
                let next = search.again();
                return Ok(Paged::Page { next, pending: Vec::new(), found: false, then: Then::Stalled });
            }
            Err(error) => return Err(error.into()),
        };
        self.left_out(page.skipped, "event log");
        let mut next = search.clone();
        let rows = next.admit(page.events.into_iter().map(Row::of_event).collect());
        self.metrics.feed.read(rows.len());
        let events = events(rows, &self.intake.workspace);
        let found = !events.is_empty();
        let pending = self.settle_new(&Occasion::Feed, events).await?;
        let then = if page.next.is_some() { Then::More } else { Then::Rest };
        next.read(page.next);
        Ok(Paged::Page { next, pending, found, then })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn row(id: &str, second: i64) -> Row {
        Row {
            id: id.parse().unwrap(),
            name: "workspace_storage_file_added".to_owned(),
            object: None,
            actor: None,
            created: Some(at(second)),
        }
    }

    fn cursor() -> EventCursor {
        serde_json::from_str("\"next\"").unwrap()
    }

    #[test]
    fn the_watermark_moves_when_the_last_page_is_done() {
        let mut search = Search::new(at(0), []);
        assert_eq!(search.admit(vec![row("evt-2", 300), row("evt-1", 290)]).len(), 2);
        search.read(Some(cursor()));
        assert_eq!((search.watermark, search.sweep.is_some()), (at(0), true));
        assert_eq!(search.admit(vec![row("evt-1", 290), row("evt-0", 5)]).len(), 1);
        search.read(None);
        assert_eq!((search.watermark, search.sweep.is_none()), (at(300), true));
        assert_eq!(search.seen.len(), 2, "only the overlap is remembered");
        assert!(search.admit(vec![row("evt-2", 300)]).is_empty());
        assert_eq!(search.query(&"1".parse().unwrap(), &["x"]).created_min, Some(at(180)));
    }

    #[test]
    fn a_row_that_appears_late_is_read() {
        let mut search = Search::new(at(0), [("evt-1".parse().unwrap(), Some(at(100)))]);
        assert_eq!(search.watermark, at(100));
        let rows = search.admit(vec![row("evt-1", 100), row("evt-0", 50)]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].id, "evt-0".parse().unwrap());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut search = Search::new(at(0), []);
        search.admit((0..5_000).map(|n| row(&format!("evt-{n}"), n / 100)).collect());
        search.read(None);
        assert!((1_000..=MAX_SEEN).contains(&search.seen.len()), "{}", search.seen.len());
    }

    #[test]
    fn what_was_forgotten_is_not_read_again() {
        let all = || (0..5_000).map(|n| row(&format!("evt-{n}"), n / 100)).collect::<Vec<_>>();
        let mut search = Search::new(at(0), []);
        // The newest rows come first, and the pages after them are read whatever was forgotten.
        let (old, new) = (all()[..1_000].to_vec(), all()[1_000..].to_vec());
        assert_eq!(search.admit(new).len(), 4_000);
        search.read(Some(cursor()));
        assert_eq!(search.admit(old).len(), 1_000);
        search.read(None);
        assert!(search.admit(all()).is_empty());
        assert!(search.query(&"1".parse().unwrap(), &["x"]).created_min > Some(at(0)));
        assert_eq!(search.admit(vec![row("evt-new", 60)]).len(), 1);
    }
}
