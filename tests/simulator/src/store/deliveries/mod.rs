//! Deliveries of events to webhooks: the log that people and tests read. [`queue`] moves them on.

mod payload;
pub(crate) mod queue;

use rusqlite::{Connection, Result, Row};
use serde::{Deserialize, Serialize};

use super::{
    all,
    events::{Event, EventName},
    nodes::{Kind, Node},
    subscriptions,
    webhooks::{self, EventType},
};
use crate::{
    ids::{EventId, ProfileId, WebhookId},
    time::Instant,
};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The sender has not seen it yet.
    New,
    /// Waiting for its first or next attempt.
    Pending,
    /// An attempt is being made.
    Sending,
    Delivered,
    /// Given up, by default after 24 hours of attempts.
    Failed,
    /// Swallowed by a `drop_deliveries` fault: never sent.
    Dropped,
    /// Its webhook was deleted, disabled or suspended.
    Cancelled,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What faults did to a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Spoilt {
    /// Waits so long before its first attempt.
    HeldBack { milliseconds: u64 },
    /// A second copy of another one.
    Duplicate,
    /// A copy of another one as somebody has recorded it: signed so many seconds ago. Sent once.
    Replay { age_seconds: u64 },
    /// The body of its first attempts (`null`: of all) is not the one that was signed.
    Tampered { attempts: Option<u32> },
    /// Its first attempts (`null`: all) are signed with another secret.
    Forged { attempts: Option<u32> },
}

/// One event on its way to one webhook.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) id: i64,
    pub(crate) webhook: WebhookId,
    pub(crate) workspace: ProfileId,
    pub(crate) event: EventId,
    pub(crate) event_type: String,
    pub(crate) body: Vec<u8>,
    pub(crate) state: String,
    pub(crate) attempts: u32,
    pub(crate) last_status: Option<u16>,
    pub(crate) last_error: Option<String>,
    pub(crate) created: Instant,
    pub(crate) next_attempt: Instant,
    pub(crate) finished: Option<Instant>,
    pub(crate) spoilt: Vec<Spoilt>,
}

const COLUMNS: &str = "id, webhook, workspace, event, event_type, body, state, attempts, last_status, \
                       last_error, created, next_attempt, finished, spoilt";

fn delivery(row: &Row<'_>) -> Result<Delivery> {
    let spoilt: Option<String> = row.get(13)?;
    Ok(Delivery {
        id: row.get(0)?,
        webhook: row.get(1)?,
        workspace: row.get(2)?,
        event: row.get(3)?,
        event_type: row.get(4)?,
        body: row.get(5)?,
        state: row.get(6)?,
        attempts: row.get(7)?,
        last_status: row.get(8)?,
        last_error: row.get(9)?,
        created: row.get(10)?,
        next_attempt: row.get(11)?,
        finished: row.get(12)?,
        spoilt: spoilt.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
    })
}

/// Writes the deliveries of an event: one for each enabled webhook of its workspace that wants
/// it. Only files have any.
pub(super) fn enqueue(rows: &Connection, event: &Event, name: EventName, node: &Node) -> Result<()> {
    let Some(kind) = EventType::of(name).filter(|_| node.kind == Kind::File) else { return Ok(()) };
    for webhook in webhooks::list(rows, Some(event.workspace.as_str()))? {
        if !webhook.enabled
            || !webhook.events.contains(&kind)
            || !subscriptions::wants(rows, &webhook.id, &event.name)?
        {
            continue;
        }
        let body = payload::payload(&webhook.format, event, kind, node);
        rows.execute(
            "INSERT INTO deliveries (webhook, workspace, event, event_type, body, state, created, next_attempt) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            (
                &webhook.id,
                &event.workspace,
                &event.id,
                kind.as_str(),
                body.to_string().into_bytes(),
                State::New.as_str(),
                event.created,
            ),
        )?;
    }
    Ok(())
}

/// Cancels what a webhook has not delivered yet.
pub(super) fn cancel(rows: &Connection, webhook: &WebhookId) -> Result<()> {
    rows.execute(
        "UPDATE deliveries SET state = ?3, finished = ?2 WHERE webhook = ?1 AND state IN (?4, ?5, ?6)",
        (
            webhook,
            Instant::now(),
            State::Cancelled.as_str(),
            State::New.as_str(),
            State::Pending.as_str(),
            State::Sending.as_str(),
        ),
    )?;
    Ok(())
}

/// The log, newest first.
pub(crate) fn log(rows: &Connection, workspace: Option<&str>, limit: usize) -> Result<Vec<Delivery>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM deliveries WHERE ?1 IS NULL OR workspace = ?1 ORDER BY id DESC LIMIT {limit}"
    );
    all(rows, &sql, [workspace], delivery)
}
