//! The event log. Every change writes its row here, in the transaction of the change itself;
//! events search, change feed, activity poll and webhook deliveries all come from it.

use rusqlite::{Connection, Result, Row, types::Value};

use super::{accounts::Workspace, all, deliveries, nodes::Node, one};
use crate::{
    ids::{EventId, ProfileId},
    time::Instant,
};

/// What can happen, with the event names and sub-categories of the real service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventName {
    FileAdded,
    FileUpdated,
    FileMoved,
    FileDeleted,
    FolderCreated,
    /// Not in any published list; the service reports renames as `*_updated`.
    FolderUpdated,
    FolderMoved,
    FolderDeleted,
    DownloadTokenCreated,
    CommentCreated,
    CommentUpdated,
    CommentDeleted,
    /// The published list names only the family `metadata_kv_*`.
    MetadataUpdated,
    MetadataDeleted,
}

impl EventName {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::FileAdded => "workspace_storage_file_added",
            Self::FileUpdated => "workspace_storage_file_updated",
            Self::FileMoved => "workspace_storage_file_moved",
            Self::FileDeleted => "workspace_storage_file_deleted",
            Self::FolderCreated => "workspace_storage_folder_created",
            Self::FolderUpdated => "workspace_storage_folder_updated",
            Self::FolderMoved => "workspace_storage_folder_moved",
            Self::FolderDeleted => "workspace_storage_folder_deleted",
            Self::DownloadTokenCreated => "workspace_storage_download_token_created",
            Self::CommentCreated => "comment_created",
            Self::CommentUpdated => "comment_updated",
            Self::CommentDeleted => "comment_deleted",
            Self::MetadataUpdated => "metadata_kv_updated",
            Self::MetadataDeleted => "metadata_kv_deleted",
        }
    }

    const fn sub_category(self) -> &'static str {
        match self {
            Self::FileAdded | Self::FileUpdated | Self::DownloadTokenCreated => "transfer",
            Self::CommentCreated | Self::CommentUpdated | Self::CommentDeleted => "comments",
            Self::MetadataUpdated | Self::MetadataDeleted => "metadata",
            _ => "storage",
        }
    }
}

/// A row of the log.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) seq: i64,
    pub(crate) id: EventId,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) sub_category: String,
    pub(crate) org: ProfileId,
    pub(crate) workspace: ProfileId,
    pub(crate) object: String,
    pub(crate) user: ProfileId,
    pub(crate) created: Instant,
    pub(crate) acknowledged: bool,
}

const EVENT: &str = "SELECT seq, id, event, category, sub_category, org, workspace, object, user, created, \
                     acknowledged FROM events";

fn event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        seq: row.get(0)?,
        id: row.get(1)?,
        name: row.get(2)?,
        category: row.get(3)?,
        sub_category: row.get(4)?,
        org: row.get(5)?,
        workspace: row.get(6)?,
        object: row.get(7)?,
        user: row.get(8)?,
        created: row.get(9)?,
        acknowledged: row.get(10)?,
    })
}

/// Writes the event of something that happened to a node, and the deliveries to its webhooks.
pub(crate) fn record_node(
    rows: &Connection,
    workspace: &Workspace,
    user: &ProfileId,
    name: EventName,
    node: &Node,
) -> Result<()> {
    let event = record(rows, workspace, user, name, node.id.as_str())?;
    deliveries::enqueue(rows, &event, name, node)
}

/// Writes the event of something that is not a node (and has no webhooks).
pub(crate) fn record(
    rows: &Connection,
    workspace: &Workspace,
    user: &ProfileId,
    name: EventName,
    object: &str,
) -> Result<Event> {
    let id = EventId::random();
    rows.execute(
        "INSERT INTO events (id, event, category, sub_category, org, workspace, object, user, created) \
         VALUES (?1, ?2, 'workspace', ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            &id,
            name.as_str(),
            name.sub_category(),
            &workspace.org,
            &workspace.id,
            object,
            user,
            Instant::now(),
        ),
    )?;
    rows.prepare_cached(&format!("{EVENT} WHERE id = ?1"))?.query_row([&id], event)
}

pub(crate) fn find(rows: &Connection, id: &str) -> Result<Option<Event>> {
    one(rows, &format!("{EVENT} WHERE id = ?1"), [id], event)
}

pub(crate) fn acknowledge(rows: &Connection, id: &EventId) -> Result<()> {
    rows.execute("UPDATE events SET acknowledged = 1 WHERE id = ?1", [id])?;
    Ok(())
}

/// Conditions of a search, all of which must hold.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    clauses: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// `column` and `operator` are literals of this program, never input.
    pub(crate) fn and(&mut self, column: &str, operator: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.clauses.push(format!("{column} {operator} ?{}", self.values.len()));
    }

    pub(crate) fn and_any(&mut self, column: &str, values: impl Iterator<Item = String>) {
        let places: Vec<String> = values
            .map(|value| {
                self.values.push(value.into());
                format!("?{}", self.values.len())
            })
            .collect();
        self.clauses.push(format!("{column} IN ({})", places.join(", ")));
    }
}

/// Newest first; `None` where no row is left out stands for the first page.
pub(crate) fn search(
    rows: &Connection,
    mut filter: Filter,
    before: Option<i64>,
    limit: usize,
    offset: usize,
) -> Result<Vec<Event>> {
    if let Some(before) = before {
        filter.and("seq", "<", before);
    }
    let sql = format!(
        "{EVENT} WHERE {} ORDER BY seq DESC LIMIT {limit} OFFSET {offset}",
        filter.clauses.join(" AND ")
    );
    all(rows, &sql, rusqlite::params_from_iter(filter.values), event)
}

/// The number of the newest event, 0 when there is none.
pub(crate) fn head(rows: &Connection) -> Result<i64> {
    rows.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0))
}

/// Changes of stored files and folders of an organisation after an event, oldest first.
pub(crate) fn changes(rows: &Connection, org: &ProfileId, after: i64, limit: usize) -> Result<Vec<Event>> {
    let sql = format!(
        "{EVENT} WHERE org = ?1 AND seq > ?2 AND event LIKE 'workspace\\_storage\\_%' ESCAPE '\\' \
         AND event <> ?3 ORDER BY seq LIMIT {limit}"
    );
    all(rows, &sql, (org, after, EventName::DownloadTokenCreated.as_str()), event)
}

/// What happened in a workspace or organisation after an instant, oldest first.
pub(crate) fn since(rows: &Connection, profile: &ProfileId, after: Instant) -> Result<Vec<Event>> {
    let sql = format!("{EVENT} WHERE (workspace = ?1 OR org = ?1) AND created > ?2 ORDER BY seq LIMIT 1000");
    all(rows, &sql, (profile, after), event)
}
