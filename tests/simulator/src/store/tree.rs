//! Changes of files and folders: adding, moving, copying, and the trash.

use rusqlite::{Connection, Result};

use super::{
    accounts::Workspace,
    all,
    events::{self, EventName},
    nodes::{self, Kind, Node},
    versions,
};
use crate::{
    ids::{NodeId, ProfileId},
    time::Instant,
};

/// Adds a folder, or a file whose first version comes next.
pub(crate) fn insert(
    rows: &Connection,
    workspace: &ProfileId,
    parent: &str,
    name: &str,
    creator: &ProfileId,
    kind: Kind,
) -> Result<NodeId> {
    let id = NodeId::random();
    rows.execute(
        "INSERT INTO nodes (id, workspace, parent, kind, name, created, modified, creator) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
        (&id, workspace, parent, kind.as_str(), name, Instant::now(), creator),
    )?;
    Ok(id)
}

/// Adds a link to a share.
pub(crate) fn insert_link(
    rows: &Connection,
    workspace: &ProfileId,
    parent: &str,
    share: &Workspace,
    creator: &ProfileId,
) -> Result<NodeId> {
    let name = nodes::free_name(rows, workspace, parent, &share.name)?;
    let id = insert(rows, workspace, parent, &name, creator, Kind::Link)?;
    rows.execute("UPDATE nodes SET link = ?2 WHERE id = ?1", (&id, &share.id))?;
    Ok(id)
}

pub(crate) fn relocate(rows: &Connection, id: &NodeId, parent: &str, name: &str) -> Result<()> {
    rows.execute(
        "UPDATE nodes SET parent = ?2, name = ?3, modified = ?4 WHERE id = ?1",
        (id, parent, name, Instant::now()),
    )?;
    Ok(())
}

pub(crate) fn describe(
    rows: &Connection,
    id: &NodeId,
    title: Option<&str>,
    short: Option<&str>,
) -> Result<()> {
    rows.execute(
        "UPDATE nodes SET title = coalesce(?2, title), short = coalesce(?3, short), modified = ?4 WHERE id = ?1",
        (id, title, short, Instant::now()),
    )?;
    Ok(())
}

/// Where a copy goes, and who makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) parent: &'a str,
    pub(crate) user: &'a ProfileId,
}

/// Copies a node of a workspace, and everything below it that is not in the trash, with an event for each file, named
/// `file`, and each folder. Bytes are shared, not written again.
pub(crate) fn copy(
    rows: &Connection,
    source: &ProfileId,
    node: &Node,
    name: &str,
    target: Target<'_>,
    file: EventName,
) -> Result<NodeId> {
    let Target { workspace, parent, user } = target;
    let id = insert(rows, &workspace.id, parent, name, user, node.kind)?;
    rows.execute(
        "UPDATE nodes SET title = ?2, short = ?3, link = ?4 WHERE id = ?1",
        (&id, &node.title, &node.short, &node.link),
    )?;
    let event = match (node.kind, &node.content) {
        (Kind::File, Some(content)) => {
            versions::add(rows, &id, &content.blob(), user, &content.upload)?;
            file
        }
        (Kind::Link, _) => EventName::LinkAdded,
        _ => EventName::FolderCreated,
    };
    if let Some(copied) = nodes::find(rows, &workspace.id, &id)? {
        events::record_node(rows, workspace, user, event, &copied)?;
    }
    for child in live_children(rows, source, node.id.as_str())? {
        copy(rows, source, &child, &child.name, Target { parent: id.as_str(), ..target }, file)?;
    }
    Ok(id)
}

/// Moves a node to the trash and marks everything below it.
pub(crate) fn trash(rows: &Connection, id: &NodeId) -> Result<()> {
    rows.execute(
        "WITH RECURSIVE below(id) AS (SELECT ?1 UNION SELECT n.id FROM nodes n JOIN below ON n.parent = below.id) \
         UPDATE nodes SET trashed = 1 WHERE id IN below",
        [id],
    )?;
    rows.execute(
        "UPDATE nodes SET deleted = ?2, deleted_from = parent, parent = 'trash' WHERE id = ?1",
        (id, Instant::now()),
    )?;
    Ok(())
}

/// Takes a node out of the trash, with everything that lay below it.
pub(crate) fn restore(rows: &Connection, id: &NodeId, parent: &str, name: &str) -> Result<()> {
    rows.execute(
        "UPDATE nodes SET deleted = NULL, deleted_from = NULL, parent = ?2, name = ?3, modified = ?4 \
         WHERE id = ?1",
        (id, parent, name, Instant::now()),
    )?;
    rows.execute(
        "WITH RECURSIVE below(id) AS (SELECT ?1 UNION SELECT n.id FROM nodes n JOIN below ON n.parent = below.id) \
         UPDATE nodes SET trashed = 0 WHERE id IN below",
        [id],
    )?;
    Ok(())
}

/// Removes a node and everything below it for good. Answers with the blobs that nothing needs any more.
pub(crate) fn purge(rows: &Connection, workspace: &ProfileId, id: &NodeId) -> Result<Vec<String>> {
    let sql = "WITH RECURSIVE below(id) AS (SELECT ?1 UNION SELECT n.id FROM nodes n JOIN below ON n.parent = below.id) \
               SELECT id FROM below";
    let mut unused = Vec::new();
    for node in all(rows, sql, [id], |row| row.get::<_, NodeId>(0))? {
        unused.extend(versions::purge(rows, &node)?);
        rows.execute("DELETE FROM facts WHERE node = ?1", [&node])?;
        rows.execute("DELETE FROM nodes WHERE id = ?1", [&node])?;
        rows.execute("INSERT OR IGNORE INTO purged (node, workspace) VALUES (?1, ?2)", (&node, workspace))?;
    }
    Ok(unused)
}

/// What lies directly in the trash.
pub(crate) fn in_trash(rows: &Connection, workspace: &ProfileId) -> Result<Vec<NodeId>> {
    let sql = "SELECT id FROM nodes WHERE workspace = ?1 AND parent = 'trash'";
    all(rows, sql, [workspace], |row| row.get(0))
}

/// Everything in a folder, or in the root, that is not in the trash.
pub(crate) fn live_children(rows: &Connection, workspace: &ProfileId, folder: &str) -> Result<Vec<Node>> {
    let sql = nodes::select("WHERE n.workspace = ?1 AND n.parent = ?2 AND n.trashed = 0 ORDER BY n.name");
    all(rows, &sql, (workspace, folder), nodes::node)
}
