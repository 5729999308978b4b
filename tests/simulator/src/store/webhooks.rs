//! Webhooks: those that the API registers, and the endpoints that only the control API knows.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, Result, Row};

use super::{all, deliveries, events::EventName, format::Format, one};
use crate::{
    ids::{ProfileId, WebhookId},
    time::Instant,
};

/// Event types of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventType {
    Upload,
    Modify,
    Move,
    Delete,
    Access,
}

impl EventType {
    pub(crate) const ALL: [Self; 5] = [Self::Upload, Self::Modify, Self::Move, Self::Delete, Self::Access];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Modify => "modify",
            Self::Move => "move",
            Self::Delete => "delete",
            Self::Access => "access",
        }
    }

    /// The names that articles about the service use.
    pub(crate) const fn dotted(self) -> &'static str {
        match self {
            Self::Upload => "file.uploaded",
            Self::Modify => "file.modified",
            Self::Move => "file.moved",
            Self::Delete => "file.deleted",
            Self::Access => "file.accessed",
        }
    }

    pub(super) const fn of(event: EventName) -> Option<Self> {
        match event {
            EventName::FileAdded | EventName::FileCopied | EventName::FileRestored => Some(Self::Upload),
            EventName::FileUpdated | EventName::FileVersionRestored => Some(Self::Modify),
            EventName::FileMoved => Some(Self::Move),
            EventName::FileDeleted => Some(Self::Delete),
            EventName::DownloadTokenCreated => Some(Self::Access),
            _ => None,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the five event types.
#[derive(Debug, thiserror::Error)]
#[error("unknown event type {0:?}; there are upload, modify, move, delete and access")]
pub(crate) struct UnknownEventType(String);

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownEventType(text.to_owned()))
    }
}

/// A registration.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) id: WebhookId,
    pub(crate) workspace: ProfileId,
    pub(crate) url: String,
    pub(crate) events: Vec<EventType>,
    pub(crate) secret: String,
    pub(crate) enabled: bool,
    pub(crate) created: Instant,
    pub(crate) format: Format,
    /// Failed attempts since the last good one.
    pub(crate) failures: u32,
}

const WEBHOOK: &str =
    "SELECT id, workspace, url, events, secret, enabled, created, format, failures FROM webhooks";

fn webhook(row: &Row<'_>) -> Result<Webhook> {
    let events: String = row.get(3)?;
    let format: Option<String> = row.get(7)?;
    Ok(Webhook {
        id: row.get(0)?,
        workspace: row.get(1)?,
        url: row.get(2)?,
        events: events.split(',').filter_map(|name| name.parse().ok()).collect(),
        secret: row.get(4)?,
        enabled: row.get(5)?,
        created: row.get(6)?,
        format: format.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
        failures: row.get(8)?,
    })
}

/// Adds a registration or replaces the one with its id.
pub(crate) fn put(rows: &Connection, webhook: &Webhook) -> Result<()> {
    let events: Vec<&str> = webhook.events.iter().map(|kind| kind.as_str()).collect();
    rows.execute(
        "INSERT OR REPLACE INTO webhooks (id, workspace, url, events, secret, enabled, created, format, failures) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            &webhook.id,
            &webhook.workspace,
            &webhook.url,
            events.join(","),
            &webhook.secret,
            webhook.enabled,
            webhook.created,
            serde_json::to_string(&webhook.format).ok(),
            webhook.failures,
        ),
    )?;
    Ok(())
}

/// Counts an attempt at a webhook: how many have failed since the last good one.
pub(super) fn count_failure(rows: &Connection, id: &WebhookId, delivered: bool) -> Result<u32> {
    let sql = if delivered {
        "UPDATE webhooks SET failures = 0 WHERE id = ?1 RETURNING failures"
    } else {
        "UPDATE webhooks SET failures = failures + 1 WHERE id = ?1 RETURNING failures"
    };
    Ok(one(rows, sql, [id], |row| row.get(0))?.unwrap_or(0))
}

/// Disables a webhook that fails all the time.
pub(super) fn suspend(rows: &Connection, id: &WebhookId) -> Result<()> {
    rows.execute("UPDATE webhooks SET enabled = 0 WHERE id = ?1", [id])?;
    Ok(())
}

/// Those of one workspace, or of all.
pub(crate) fn list(rows: &Connection, workspace: Option<&str>) -> Result<Vec<Webhook>> {
    let sql = format!("{WEBHOOK} WHERE ?1 IS NULL OR workspace = ?1 ORDER BY created");
    all(rows, &sql, [workspace], webhook)
}

pub(crate) fn find(rows: &Connection, workspace: &ProfileId, id: &WebhookId) -> Result<Option<Webhook>> {
    one(rows, &format!("{WEBHOOK} WHERE workspace = ?1 AND id = ?2"), (workspace, id), webhook)
}

/// By its id alone.
pub(crate) fn any(rows: &Connection, id: &WebhookId) -> Result<Option<Webhook>> {
    one(rows, &format!("{WEBHOOK} WHERE id = ?1"), [id], webhook)
}

/// Removes a registration; what it had not delivered yet is cancelled.
pub(crate) fn delete(rows: &Connection, id: &WebhookId) -> Result<()> {
    rows.execute("DELETE FROM webhooks WHERE id = ?1", [id])?;
    deliveries::cancel(rows, id)
}
