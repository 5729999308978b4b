//! Files, folders and links: what they are and how they are found. [`super::tree`] changes them.

use rusqlite::{Connection, Result, Row};

use super::{
    locks::Lock,
    one,
    versions::{self, Version},
};
use crate::{
    ids::{NodeId, ProfileId},
    time::Instant,
};

/// Kinds that this simulator has. The service also has `note`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// To a share.
    Link,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link => "link",
        }
    }
}

/// A node, with the current version of a file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    /// A node id, `root` or `trash`.
    pub(crate) parent: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) created: Instant,
    pub(crate) modified: Instant,
    pub(crate) deleted: Option<Instant>,
    pub(crate) deleted_from: Option<String>,
    /// Itself or a folder above it is in the trash.
    pub(crate) trashed: bool,
    pub(crate) creator: ProfileId,
    pub(crate) title: Option<String>,
    pub(crate) short: Option<String>,
    /// The share that a link leads to.
    pub(crate) link: Option<ProfileId>,
    /// Only one that holds.
    pub(crate) lock: Option<Lock>,
    pub(crate) content: Option<Version>,
}

const COLUMNS: &str = "n.id, n.parent, n.kind, n.name, n.created, n.modified, n.deleted, n.deleted_from, \
    n.trashed, n.creator, n.title, n.short, n.link, \
    l.token, l.owner, l.client_info, l.seconds, l.created, l.expires";
const TABLES: &str = "nodes n LEFT JOIN versions v ON v.id = n.version LEFT JOIN locks l ON l.node = n.id";

/// Position of the name.
pub(super) const NAME: usize = 13;
/// Position of the first column that [`select_with`] adds.
pub(super) const ADDED: usize = 29;

/// A query for [`node`]: `rest` begins with `WHERE`, and calls the table of nodes `n`.
pub(super) fn select(rest: &str) -> String {
    format!("SELECT {}, {COLUMNS} FROM {TABLES} {rest}", versions::COLUMNS)
}

/// The same with one more column.
pub(super) fn select_with(column: &str, rest: &str) -> String {
    format!("SELECT {}, {COLUMNS}, {column} FROM {TABLES} {rest}", versions::COLUMNS)
}

pub(super) fn node(row: &Row<'_>) -> Result<Node> {
    let kind: String = row.get(12)?;
    let kind = match kind.as_str() {
        "folder" => Kind::Folder,
        "link" => Kind::Link,
        _ => Kind::File,
    };
    Ok(Node {
        content: if kind == Kind::File { Some(versions::version(row)?) } else { None },
        kind,
        id: row.get(10)?,
        parent: row.get(11)?,
        name: row.get(NAME)?,
        created: row.get(14)?,
        modified: row.get(15)?,
        deleted: row.get(16)?,
        deleted_from: row.get(17)?,
        trashed: row.get(18)?,
        creator: row.get(19)?,
        title: row.get(20)?,
        short: row.get(21)?,
        link: row.get(22)?,
        lock: lock(row)?.filter(Lock::holds),
    })
}

fn lock(row: &Row<'_>) -> Result<Option<Lock>> {
    let Some(token) = row.get(23)? else { return Ok(None) };
    let client_info: Option<String> = row.get(25)?;
    Ok(Some(Lock {
        token,
        owner: row.get(24)?,
        client_info: client_info.and_then(|text| serde_json::from_str(&text).ok()),
        seconds: row.get(26)?,
        created: row.get(27)?,
        expires: row.get(28)?,
    }))
}

pub(crate) fn find(rows: &Connection, workspace: &ProfileId, id: &NodeId) -> Result<Option<Node>> {
    one(rows, &select("WHERE n.workspace = ?1 AND n.id = ?2"), (workspace, id), node)
}

/// The live child of that name.
pub(crate) fn named(
    rows: &Connection,
    workspace: &ProfileId,
    parent: &str,
    name: &str,
) -> Result<Option<Node>> {
    let sql = select("WHERE n.workspace = ?1 AND n.parent = ?2 AND n.name = ?3 AND n.trashed = 0");
    one(rows, &sql, (workspace, parent, name), node)
}

/// Names of the folders from the top down to the node itself, joined by `/`.
pub(crate) fn path(rows: &Connection, node: &Node) -> Result<String> {
    let mut names = vec![node.name.clone()];
    let mut parent = node.parent.clone();
    while let Some((name, above)) =
        one(rows, "SELECT name, parent FROM nodes WHERE id = ?1", [&parent], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
    {
        names.push(name);
        parent = above;
    }
    names.reverse();
    Ok(format!("/{}", names.join("/")))
}

/// Whether `place` is the folder itself or lies below it.
pub(crate) fn is_within(rows: &Connection, place: &str, folder: &NodeId) -> Result<bool> {
    let sql = "WITH RECURSIVE up(id) AS (SELECT ?1 UNION SELECT n.parent FROM nodes n JOIN up ON n.id = up.id) \
               SELECT count(*) > 0 FROM up WHERE id = ?2";
    rows.prepare_cached(sql)?.query_row((place, folder), |row| row.get(0))
}

/// Whether new children can be put there: `root`, or a folder that is not in the trash.
pub(crate) fn is_live_folder(rows: &Connection, workspace: &ProfileId, place: &str) -> Result<bool> {
    if place == "root" {
        return Ok(true);
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM nodes \
               WHERE workspace = ?1 AND id = ?2 AND kind = 'folder' AND trashed = 0)";
    rows.prepare_cached(sql)?.query_row((workspace, place), |row| row.get(0))
}

/// The name itself, or `name (2)`, `name (3)` … when a live sibling has it.
pub(crate) fn free_name(
    rows: &Connection,
    workspace: &ProfileId,
    parent: &str,
    name: &str,
) -> Result<String> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut candidate = name.to_owned();
    let mut number = 1;
    while named(rows, workspace, parent, &candidate)?.is_some() {
        number += 1;
        candidate = format!("{stem} ({number}){extension}");
    }
    Ok(candidate)
}

/// Whether there was such a file and it was purged.
pub(crate) fn is_purged(rows: &Connection, workspace: &ProfileId, id: &NodeId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM purged WHERE workspace = ?1 AND node = ?2)";
    rows.prepare_cached(sql)?.query_row((workspace, id), |row| row.get(0))
}
