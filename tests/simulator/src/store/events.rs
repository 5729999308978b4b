//! The event log. Every change writes its row here, in the transaction of the change itself;
//! events search, change feed, activity poll and webhook deliveries all come from it.

use rusqlite::{Connection, Result, Row, types::Value};

pub(crate) use super::event_names::EventName;
use super::{accounts::Workspace, all, deliveries, nodes::Node, one};
use crate::{
    ids::{EventId, ProfileId},
    time::Instant,
};

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
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            &id,
            name.in_profile(workspace.kind),
            workspace.kind.as_str(),
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
    offset: i64,
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

/// Changes of stored files and folders of an organisation after an event, oldest first. What was only
/// read is left out, and so is what is not storage.
pub(crate) fn changes(rows: &Connection, org: &ProfileId, after: i64, limit: usize) -> Result<Vec<Event>> {
    let sql = format!("{EVENT} WHERE org = ?1 AND seq > ?2 ORDER BY seq");
    let mut found = Vec::new();
    let mut statement = rows.prepare_cached(&sql)?;
    let mut events = statement.query((org, after))?;
    while let Some(row) = events.next()? {
        let event = event(row)?;
        if EventName::is_change(&event.name) {
            found.push(event);
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

/// What happened in a workspace or organisation after an instant, oldest first.
pub(crate) fn since(rows: &Connection, profile: &ProfileId, after: Instant) -> Result<Vec<Event>> {
    let sql = format!("{EVENT} WHERE (workspace = ?1 OR org = ?1) AND created > ?2 ORDER BY seq LIMIT 1000");
    all(rows, &sql, (profile, after), event)
}
