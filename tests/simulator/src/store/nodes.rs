//! Files and folders of a workspace, and the versions of files.

use rusqlite::{Connection, Result, Row};

use super::{Blobs, all, blobs::Blob, one};
use crate::{
    ids::{NodeId, ProfileId, UploadId, VersionId},
    time::Instant,
};

/// Kinds that this simulator has. The service also has `note` and `link`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
        }
    }
}

/// A file or folder, with the current version of a file.
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
    pub(crate) content: Option<Version>,
}

/// One version of the bytes of a file.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: VersionId,
    pub(crate) blob: String,
    pub(crate) size: i64,
    pub(crate) sha256: String,
    pub(crate) crc32c: String,
    pub(crate) created: Instant,
    pub(crate) creator: ProfileId,
    pub(crate) upload: UploadId,
}

impl Version {
    pub(crate) async fn open(&self, blobs: &Blobs) -> std::io::Result<tokio::fs::File> {
        blobs.read(&self.blob).await
    }
}

pub(super) const NODE: &str = "SELECT v.id, v.blob, v.size, v.sha256, v.crc32c, v.created, v.creator, v.upload, \
    n.id, n.parent, n.kind, n.name, n.created, n.modified, n.deleted, n.deleted_from, n.trashed, n.creator, \
    n.title, n.short FROM nodes n LEFT JOIN versions v ON v.id = n.version";

fn version(row: &Row<'_>) -> Result<Version> {
    Ok(Version {
        id: row.get(0)?,
        blob: row.get(1)?,
        size: row.get(2)?,
        sha256: row.get(3)?,
        crc32c: row.get(4)?,
        created: row.get(5)?,
        creator: row.get(6)?,
        upload: row.get(7)?,
    })
}

pub(super) fn node(row: &Row<'_>) -> Result<Node> {
    let kind: String = row.get(10)?;
    let kind = if kind == "folder" { Kind::Folder } else { Kind::File };
    Ok(Node {
        content: if kind == Kind::File { Some(version(row)?) } else { None },
        kind,
        id: row.get(8)?,
        parent: row.get(9)?,
        name: row.get(11)?,
        created: row.get(12)?,
        modified: row.get(13)?,
        deleted: row.get(14)?,
        deleted_from: row.get(15)?,
        trashed: row.get(16)?,
        creator: row.get(17)?,
        title: row.get(18)?,
        short: row.get(19)?,
    })
}

pub(crate) fn find(rows: &Connection, workspace: &ProfileId, id: &NodeId) -> Result<Option<Node>> {
    one(rows, &format!("{NODE} WHERE n.workspace = ?1 AND n.id = ?2"), (workspace, id), node)
}

/// The live child of that name.
pub(crate) fn named(
    rows: &Connection,
    workspace: &ProfileId,
    parent: &str,
    name: &str,
) -> Result<Option<Node>> {
    let sql = format!("{NODE} WHERE n.workspace = ?1 AND n.parent = ?2 AND n.name = ?3 AND n.trashed = 0");
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

/// Adds a folder or, with content, a file.
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

/// Gives a file new bytes; the old ones stay as a version.
pub(crate) fn add_version(
    rows: &Connection,
    id: &NodeId,
    blob: &Blob,
    creator: &ProfileId,
    upload: &UploadId,
) -> Result<()> {
    let (version, now) = (VersionId::random(), Instant::now());
    rows.execute(
        "INSERT INTO versions (id, node, blob, size, sha256, crc32c, created, creator, upload) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            &version,
            id,
            &blob.name,
            blob.size,
            &blob.sha256,
            format!("{:08x}", blob.crc32c),
            now,
            creator,
            upload,
        ),
    )?;
    rows.execute("UPDATE nodes SET version = ?2, modified = ?3 WHERE id = ?1", (id, &version, now))?;
    Ok(())
}

/// All versions of a file, newest first.
pub(crate) fn versions(rows: &Connection, id: &NodeId) -> Result<Vec<Version>> {
    let sql = "SELECT id, blob, size, sha256, crc32c, created, creator, upload FROM versions \
               WHERE node = ?1 ORDER BY created DESC";
    all(rows, sql, [id], version)
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
