//! Deliveries of events to webhooks: the queue and the log of the sender.

use std::time::Duration;

use rusqlite::{Connection, Result, Row};
use serde_json::json;

use super::{
    all,
    events::{Event, EventName},
    nodes::{Kind, Node},
    webhooks::{self, EventType},
};
use crate::{
    ids::{EventId, ProfileId, WebhookId},
    time::Instant,
};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Waiting for its first or next attempt.
    Pending,
    /// An attempt is being made.
    Sending,
    Delivered,
    /// Given up after 24 hours of attempts.
    Failed,
    /// Swallowed by a `drop_deliveries` fault: never sent.
    Dropped,
    /// Its webhook was deleted or disabled.
    Cancelled,
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
        }
    }
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
}

const DELIVERY: &str = "SELECT id, webhook, workspace, event, event_type, body, state, attempts, last_status, \
                        last_error, created, next_attempt, finished FROM deliveries";

fn delivery(row: &Row<'_>) -> Result<Delivery> {
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
    })
}

/// Queues the deliveries of an event: one for each enabled webhook that subscribes to it. Webhooks
/// of the guide are about files only.
pub(super) fn enqueue(rows: &Connection, event: &Event, name: EventName, node: &Node) -> Result<()> {
    let Some(kind) = EventType::of(name).filter(|_| node.kind == Kind::File) else { return Ok(()) };
    for webhook in webhooks::list(rows, Some(event.workspace.as_str()))? {
        if !webhook.enabled || !webhook.events.contains(&kind) {
            continue;
        }
        let body = json!({
            "eventType": kind.as_str(),
            "workspaceId": event.workspace,
            "fileId": node.id,
            "fileName": node.name,
            "fileSize": node.content.as_ref().map_or(0, |version| version.size),
            "userId": event.user,
            "timestamp": event.created.iso(),
            "eventId": event.id,
        });
        rows.execute(
            "INSERT INTO deliveries (webhook, workspace, event, event_type, body, state, created, next_attempt) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            (
                &webhook.id,
                &event.workspace,
                &event.id,
                kind.as_str(),
                body.to_string().into_bytes(),
                State::Pending.as_str(),
                event.created,
            ),
        )?;
    }
    Ok(())
}

/// When the next attempt is due.
pub(crate) fn next_due(rows: &Connection) -> Result<Option<Instant>> {
    let sql = "SELECT min(next_attempt) FROM deliveries WHERE state = ?1";
    rows.prepare_cached(sql)?.query_row([State::Pending.as_str()], |row| row.get(0))
}

/// Takes what is due out of the queue for an attempt, the most urgent first.
pub(crate) fn claim_due(rows: &Connection, limit: usize) -> Result<Vec<Delivery>> {
    let due = "SELECT id FROM deliveries WHERE state = ?1 AND next_attempt <= ?2 ORDER BY next_attempt, id";
    let columns = DELIVERY.trim_start_matches("SELECT ").trim_end_matches(" FROM deliveries");
    let sql =
        format!("UPDATE deliveries SET state = ?3 WHERE id IN ({due} LIMIT {limit}) RETURNING {columns}");
    all(rows, &sql, (State::Pending.as_str(), Instant::now(), State::Sending.as_str()), delivery)
}

/// Puts back what a stopped process was sending.
pub(crate) fn requeue(rows: &Connection) -> Result<()> {
    let sql = "UPDATE deliveries SET state = ?1 WHERE state = ?2";
    rows.execute(sql, (State::Pending.as_str(), State::Sending.as_str()))?;
    Ok(())
}

/// Cancels what a webhook has not delivered yet.
pub(super) fn cancel(rows: &Connection, webhook: &WebhookId) -> Result<()> {
    rows.execute(
        "UPDATE deliveries SET state = ?3, finished = ?2 WHERE webhook = ?1 AND state IN (?4, ?5)",
        (
            webhook,
            Instant::now(),
            State::Cancelled.as_str(),
            State::Pending.as_str(),
            State::Sending.as_str(),
        ),
    )?;
    Ok(())
}

/// The log, newest first.
pub(crate) fn log(rows: &Connection, workspace: Option<&str>, limit: usize) -> Result<Vec<Delivery>> {
    let sql = format!("{DELIVERY} WHERE ?1 IS NULL OR workspace = ?1 ORDER BY id DESC LIMIT {limit}");
    all(rows, &sql, [workspace], delivery)
}

/// What an attempt came to.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) outcome: Outcome,
}

/// What happens to the delivery next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Finished(State),
    RetryIn(Duration),
}

/// Writes an attempt into the log. A delivery that was cancelled meanwhile stays so.
pub(crate) fn record_attempt(rows: &Connection, id: i64, attempts: u32, attempt: &Attempt) -> Result<()> {
    let now = Instant::now();
    let (state, next, finished) = match attempt.outcome {
        Outcome::Finished(state) => (state, now, Some(now)),
        Outcome::RetryIn(delay) => (State::Pending, now.plus(delay), None),
    };
    rows.execute(
        "UPDATE deliveries SET state = ?2, attempts = ?3, last_status = ?4, last_error = ?5, next_attempt = ?6, \
         finished = ?7 WHERE id = ?1 AND state = ?8",
        (
            id,
            state.as_str(),
            attempts,
            attempt.status,
            &attempt.error,
            next,
            finished,
            State::Sending.as_str(),
        ),
    )?;
    Ok(())
}
