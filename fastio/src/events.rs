//! Following what happens: the event log, the change feed of an organisation, and the long poll that says that
//! something happened. Sources: newest official CLI (`event.rs`, `org_changes_wire.rs`, 2026), documentation page on
//! events, agent guide v1.41.
//!
//! The feed ([`Client::org_changes`]) is what the service recommends; the log ([`Client::search_events`]) works for keys
//! that may not read the feed; the poll ([`Client::poll_activity`]) tells when to look at either. All three deliver at
//! least once: drop what has a known [`EventId`](crate::EventId).

mod activity;
mod changes;
mod search;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use activity::read_activity;
pub use activity::{Activity, MAX_ACTIVITY_WAIT};
pub use changes::{Change, ChangePage, Changes, MAX_CHANGES};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use search::read_page;
pub use search::{Event, EventPage, EventSearch, MAX_EVENT_NAMES, MAX_EVENTS};

#[cfg(doc)]
use crate::Client;
