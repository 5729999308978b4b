//! Searching the event log.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::Reply;
use crate::cursors::EventPosition;
use crate::envelope::fields;
use crate::envelope::rows::Rows;
use crate::error::Error;
use crate::paging::Pagination;
use crate::{Client, EventCursor, EventId, NodeId, Result, UserId, WorkspaceId};

const OPERATION: &str = "events.search";

/// Most events that one page brings.
pub const MAX_EVENTS: u32 = 250;
/// Most names of events that a search may list.
pub const MAX_EVENT_NAMES: usize = 100;

/// Which events to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSearch {
    /// Events of this workspace. The log knows it by its id alone, not by its `folder_name`.
    pub workspace: WorkspaceId,
    /// Not older than this. Sent in whole seconds, rounded down: rows of that second may come again.
    pub created_min: Option<Timestamp>,
    /// Not newer than this; later than `created_min`. Sent in whole seconds, rounded up.
    pub created_max: Option<Timestamp>,
    /// Events of these names, for example `workspace_storage_file_added`; all when empty.
    pub names: Vec<String>,
    /// Rows per page, 1 to [`MAX_EVENTS`].
    pub limit: u32,
}

impl EventSearch {
    /// Every event of a workspace, in the largest pages.
    #[must_use]
    pub fn new(workspace: WorkspaceId) -> Self {
        Self { workspace, created_min: None, created_max: None, names: Vec::new(), limit: MAX_EVENTS }
    }
}

/// A row of the event log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its id.
    #[serde(rename = "event_id")]
    pub id: EventId,
    /// What happened, for example `workspace_storage_file_added`.
    #[serde(rename = "event", deserialize_with = "fields::text")]
    pub name: String,
    /// What it happened to.
    #[serde(default, rename = "object_id", deserialize_with = "fields::lenient_id")]
    pub object: Option<NodeId>,
    /// Where it happened.
    #[serde(default, rename = "workspace_id", deserialize_with = "fields::lenient_id")]
    pub workspace: Option<WorkspaceId>,
    /// Who did it.
    #[serde(default, rename = "calling_user", deserialize_with = "fields::lenient_id")]
    pub caller: Option<UserId>,
    /// When it happened.
    #[serde(default, deserialize_with = "fields::opt_time")]
    pub created: Option<Timestamp>,
}

/// One page of a search. It may be short or even empty with more to come: the service leaves out what the key may not
/// see after it has cut the page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventPage {
    /// Its events, in the service's order (newest first).
    pub events: Vec<Event>,
    /// Rows that could not be read and are not among the events: worth a warning.
    pub skipped: usize,
    /// The next page, if there is one.
    pub next: Option<EventCursor>,
}

impl Client {
    /// One page of the event log of a workspace: `GET /events/search/`.
    ///
    /// The service allows 5 calls in 3 s, 15 in 30 s and 120 in 10 min. Keys without administration may get 403 (code
    /// 10767), an error of class [`NeedsHuman`](crate::ErrorClass::NeedsHuman).
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("a.txt", "a").await?;
    /// use fastio::EventSearch;
    ///
    /// let search = EventSearch {
    ///     // A watermark with some overlap: what came late is found, and dropped by its id where it is known.
    ///     created_min: Some(jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1)),
    ///     names: vec!["workspace_storage_file_added".to_owned()],
    ///     ..EventSearch::new(ws.clone())
    /// };
    /// let (mut events, mut cursor) = (Vec::new(), None);
    /// loop {
    ///     let page = client.search_events(&search, cursor.as_ref()).await?;
    ///     events.extend(page.events);
    ///     cursor = page.next;
    ///     if cursor.is_none() {
    ///         break;
    ///     }
    /// }
    /// assert_eq!(events.len(), 1);
    /// assert_eq!(events[0].object.as_ref(), Some(node));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search_events(
        &self,
        search: &EventSearch,
        cursor: Option<&EventCursor>,
    ) -> Result<EventPage> {
        search.check()?;
        let mut call =
            self.get(OPERATION, &["events", "search"]).query("workspace_id", search.workspace.as_str());
        for (name, value) in search.filters() {
            call = call.query(name, &value);
        }
        call = match cursor.map(|cursor| &cursor.0) {
            None => call,
            Some(EventPosition::Cursor(cursor)) => call.query("cursor", cursor),
            Some(EventPosition::Offset(offset)) => call.query("offset", &offset.to_string()),
        };
        read_page(&call.reply().await?, cursor, search.limit)
    }
}

pub(crate) fn read_page(reply: &Reply, current: Option<&EventCursor>, limit: u32) -> Result<EventPage> {
    let fields = reply.fields()?;
    let Wire { events } = reply.read(fields.clone())?;
    let next = next(&fields, current, events.count(), limit).map_err(|problem| reply.broken(problem))?;
    Ok(EventPage { events: events.read, skipped: events.skipped, next })
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    events: Rows<Event>,
}

impl EventSearch {
    fn check(&self) -> Result<()> {
        let fail = |field, problem: String| Err(Error::argument(OPERATION, field, problem));
        if !(1..=MAX_EVENTS).contains(&self.limit) {
            return fail("limit", format!("is {}: give 1 to {MAX_EVENTS}", self.limit));
        }
        if self.names.len() > MAX_EVENT_NAMES {
            return fail(
                "names",
                format!("has {} names, at most {MAX_EVENT_NAMES} are allowed", self.names.len()),
            );
        }
        if let Some(name) = self.names.iter().find(|name| name.is_empty() || name.contains(',')) {
            return fail("names", format!("{name:?} is no name of an event"));
        }
        match (self.created_min, self.created_max) {
            (Some(min), Some(max)) if min >= max => {
                fail("created_max", format!("{max} is not later than created_min, {min}"))
            }
            _ => Ok(()),
        }
    }

    /// The parameters with their spelling: unlike all others, those of the two dates have a hyphen.
    fn filters(&self) -> Vec<(&'static str, String)> {
        let mut filters = vec![("limit", self.limit.to_string())];
        if !self.names.is_empty() {
            filters.push(("event", self.names.join(",")));
        }
        if let Some(at) = self.created_min {
            filters.push(("created-min", date(at.as_nanosecond().div_euclid(NANOS))));
        }
        if let Some(at) = self.created_max {
            filters.push(("created-max", date(-(-at.as_nanosecond()).div_euclid(NANOS))));
        }
        filters
    }
}

const NANOS: i128 = 1_000_000_000;

/// `2026-07-20 09:15:00`, UTC.
fn date(second: i128) -> String {
    let at = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
    // Cannot be out of range: rounding up leaves the year 9999 only in its last second.
    at.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Where the next page starts: `pagination.next_cursor` of the newest service, or the number of rows so far of the one
/// before it.
fn next(
    reply: &Map<String, Value>,
    current: Option<&EventCursor>,
    count: usize,
    limit: u32,
) -> std::result::Result<Option<EventCursor>, &'static str> {
    let pagination = reply.get("pagination");
    let cursor = pagination.and_then(|pagination| pagination.get("next_cursor")).and_then(Value::as_str);
    let has_more = Pagination::of(reply).has_more;
    match cursor.filter(|cursor| !cursor.is_empty()) {
        _ if has_more == Some(false) => Ok(None),
        Some(cursor) => {
            let next = EventCursor(EventPosition::Cursor(cursor.to_owned()));
            if Some(&next) == current { Err("the same page cursor twice") } else { Ok(Some(next)) }
        }
        // Filtered after paging: the page had `limit` rows even when fewer came through.
        None if has_more == Some(true) => match current.map(|cursor| &cursor.0) {
            Some(EventPosition::Cursor(_)) => Err("has_more is true, but there is no next_cursor"),
            Some(EventPosition::Offset(before)) => Ok(Some(offset(before.saturating_add(limit.into())))),
            None => Ok(Some(offset(limit.into()))),
        },
        // Not a word about more: an old text says to go on until an empty page.
        None if count > 0 && count >= limit as usize => match current.map(|cursor| &cursor.0) {
            Some(EventPosition::Offset(before)) => Ok(Some(offset(before.saturating_add(limit.into())))),
            // A service with cursors would have said so: an offset could begin anew for ever.
            Some(EventPosition::Cursor(_)) => Ok(None),
            None => Ok(Some(offset(limit.into()))),
        },
        None => Ok(None),
    }
}

fn offset(rows: u64) -> EventCursor {
    EventCursor(EventPosition::Offset(rows))
}

#[cfg(test)]
mod tests;
