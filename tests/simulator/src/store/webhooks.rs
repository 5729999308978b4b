//! Webhook registrations of the guide dialect.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, Result, Row};

use super::{all, deliveries, events::EventName, one};
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
    const ALL: [Self; 5] = [Self::Upload, Self::Modify, Self::Move, Self::Delete, Self::Access];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Modify => "modify",
            Self::Move => "move",
            Self::Delete => "delete",
            Self::Access => "access",
        }
    }

    pub(super) const fn of(event: EventName) -> Option<Self> {
        match event {
            EventName::FileAdded => Some(Self::Upload),
            EventName::FileUpdated => Some(Self::Modify),
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
}

const WEBHOOK: &str = "SELECT id, workspace, url, events, secret, enabled, created FROM webhooks";

fn webhook(row: &Row<'_>) -> Result<Webhook> {
    let events: String = row.get(3)?;
    Ok(Webhook {
        id: row.get(0)?,
        workspace: row.get(1)?,
        url: row.get(2)?,
        events: events.split(',').filter_map(|name| name.parse().ok()).collect(),
        secret: row.get(4)?,
        enabled: row.get(5)?,
        created: row.get(6)?,
    })
}

/// Adds a registration or replaces the one with its id.
pub(crate) fn put(rows: &Connection, webhook: &Webhook) -> Result<()> {
    let events: Vec<&str> = webhook.events.iter().map(|kind| kind.as_str()).collect();
    rows.execute(
        "INSERT OR REPLACE INTO webhooks (id, workspace, url, events, secret, enabled, created) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            &webhook.id,
            &webhook.workspace,
            &webhook.url,
            events.join(","),
            &webhook.secret,
            webhook.enabled,
            webhook.created,
        ),
    )?;
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

/// Removes a registration; what it had not delivered yet is cancelled.
pub(crate) fn delete(rows: &Connection, id: &WebhookId) -> Result<()> {
    rows.execute("DELETE FROM webhooks WHERE id = ?1", [id])?;
    deliveries::cancel(rows, id)
}
