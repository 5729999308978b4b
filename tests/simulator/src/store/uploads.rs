//! Upload sessions, their chunks, and how a finished one becomes a file.

use rusqlite::{Connection, Result, Row};

use super::{
    accounts::{self, Workspace},
    all,
    blobs::Blob,
    events::{self, EventName},
    nodes::{self, Kind},
    one,
};
use crate::{
    ids::{NodeId, ProfileId, UploadId},
    time::Instant,
};

/// Status names of the service. `complete` is the final success since October 2026; before
/// that, `stored` was, and `complete` meant assembled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ready,
    Uploading,
    Assembling,
    Storing,
    Stored,
    Complete,
    AssemblyFailed,
    StoreFailed,
}

impl Status {
    const ALL: [Self; 8] = [
        Self::Ready,
        Self::Uploading,
        Self::Assembling,
        Self::Storing,
        Self::Stored,
        Self::Complete,
        Self::AssemblyFailed,
        Self::StoreFailed,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Uploading => "uploading",
            Self::Assembling => "assembling",
            Self::Storing => "storing",
            Self::Stored => "stored",
            Self::Complete => "complete",
            Self::AssemblyFailed => "assembly_failed",
            Self::StoreFailed => "store_failed",
        }
    }

    pub(crate) const fn accepts_chunks(self) -> bool {
        matches!(self, Self::Ready | Self::Uploading)
    }

    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Stored | Self::Complete | Self::AssemblyFailed | Self::StoreFailed)
    }
}

/// An upload session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: UploadId,
    pub(crate) user: ProfileId,
    pub(crate) workspace: ProfileId,
    /// `root` or the id of a folder.
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) size: i64,
    /// `action=update`: the file that gets a new version.
    pub(crate) target: Option<NodeId>,
    pub(crate) status: Status,
    pub(crate) message: Option<String>,
    /// The file that it became.
    pub(crate) node: Option<NodeId>,
    /// CRC-32C of the whole file as the client declared it.
    pub(crate) file_crc32c: Option<String>,
    pub(crate) computed_crc32c: Option<String>,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
}

/// A chunk that has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) position: i64,
    pub(crate) blob: String,
    pub(crate) size: i64,
    pub(crate) crc32c: u32,
}

const SESSION: &str = "SELECT id, user, workspace, folder, name, size, target, status, message, node, \
                       file_crc32c, computed_crc32c, created, updated FROM uploads";

fn session(row: &Row<'_>) -> Result<Session> {
    let status: String = row.get(7)?;
    Ok(Session {
        id: row.get(0)?,
        user: row.get(1)?,
        workspace: row.get(2)?,
        folder: row.get(3)?,
        name: row.get(4)?,
        size: row.get(5)?,
        target: row.get(6)?,
        status: Status::ALL.into_iter().find(|known| known.as_str() == status).unwrap_or(Status::StoreFailed),
        message: row.get(8)?,
        node: row.get(9)?,
        file_crc32c: row.get(10)?,
        computed_crc32c: row.get(11)?,
        created: row.get(12)?,
        updated: row.get(13)?,
    })
}

/// Writes a session, new or changed.
pub(crate) fn put(rows: &Connection, session: &Session) -> Result<()> {
    rows.execute(
        "INSERT INTO uploads (id, user, workspace, folder, name, size, target, status, message, node, \
         file_crc32c, computed_crc32c, created, updated) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         ON CONFLICT (id) DO UPDATE SET status = ?8, message = ?9, node = ?10, file_crc32c = ?11, \
         computed_crc32c = ?12, updated = ?14",
        (
            &session.id,
            &session.user,
            &session.workspace,
            &session.folder,
            &session.name,
            session.size,
            &session.target,
            session.status.as_str(),
            &session.message,
            &session.node,
            &session.file_crc32c,
            &session.computed_crc32c,
            session.created,
            Instant::now(),
        ),
    )?;
    Ok(())
}

pub(crate) fn find(rows: &Connection, id: &UploadId) -> Result<Option<Session>> {
    one(rows, &format!("{SESSION} WHERE id = ?1"), [id], session)
}

/// Sessions of a user, or of everybody.
pub(crate) fn list(rows: &Connection, user: Option<&ProfileId>) -> Result<Vec<Session>> {
    all(rows, &format!("{SESSION} WHERE ?1 IS NULL OR user = ?1 ORDER BY created"), [user], session)
}

/// Sessions of a user that changed after an instant.
pub(crate) fn changed_since(rows: &Connection, user: &ProfileId, after: Instant) -> Result<Vec<Session>> {
    all(rows, &format!("{SESSION} WHERE user = ?1 AND updated > ?2 ORDER BY updated"), (user, after), session)
}

pub(crate) fn delete(rows: &Connection, id: &UploadId) -> Result<()> {
    rows.execute("DELETE FROM uploads WHERE id = ?1", [id])?;
    Ok(())
}

pub(crate) fn chunks(rows: &Connection, id: &UploadId) -> Result<Vec<Chunk>> {
    let sql = "SELECT position, blob, size, crc32c FROM chunks WHERE upload = ?1 ORDER BY position";
    all(rows, sql, [id], |row| {
        Ok(Chunk { position: row.get(0)?, blob: row.get(1)?, size: row.get(2)?, crc32c: row.get(3)? })
    })
}

/// Adds a chunk; one of the same position is replaced, as clients send a chunk again after an
/// answer that they did not get.
pub(crate) fn put_chunk(rows: &Connection, id: &UploadId, chunk: &Chunk) -> Result<()> {
    rows.execute(
        "INSERT OR REPLACE INTO chunks (upload, position, blob, size, crc32c) VALUES (?1, ?2, ?3, ?4, ?5)",
        (id, chunk.position, &chunk.blob, chunk.size, chunk.crc32c),
    )?;
    Ok(())
}

pub(crate) fn delete_chunks(rows: &Connection, id: &UploadId, position: Option<i64>) -> Result<()> {
    let sql = "DELETE FROM chunks WHERE upload = ?1 AND (?2 IS NULL OR position = ?2)";
    rows.execute(sql, (id, position))?;
    Ok(())
}

/// Makes the bytes of a session a file: in place of a file of that name in its folder (the node
/// id stays and the old bytes become a version), else a new one. Says why it cannot be done.
pub(crate) fn store(
    rows: &Connection,
    session: &Session,
    blob: &Blob,
) -> Result<std::result::Result<NodeId, String>> {
    let Some(workspace) = accounts::find_workspace(rows, session.workspace.as_str())? else {
        return Ok(Err("the workspace is gone".to_owned()));
    };
    if !is_live_folder(rows, &workspace, &session.folder)? {
        return Ok(Err("the folder is gone".to_owned()));
    }
    let replaced = match &session.target {
        Some(target) => match nodes::find(rows, &workspace.id, target)?.filter(|node| !node.trashed) {
            Some(node) => Some(node),
            None => return Ok(Err("the file to update is gone".to_owned())),
        },
        None => nodes::named(rows, &workspace.id, &session.folder, &session.name)?
            .filter(|node| node.kind == Kind::File),
    };
    let (id, event) = if let Some(node) = replaced {
        (node.id, EventName::FileUpdated)
    } else {
        // Only a folder can have the name here: the file gets a renamed one.
        let name = nodes::free_name(rows, &workspace.id, &session.folder, &session.name)?;
        let id = nodes::insert(rows, &workspace.id, &session.folder, &name, &session.user, Kind::File)?;
        (id, EventName::FileAdded)
    };
    nodes::add_version(rows, &id, blob, &session.user, &session.id)?;
    if let Some(node) = nodes::find(rows, &workspace.id, &id)? {
        events::record_node(rows, &workspace, &session.user, event, &node)?;
    }
    Ok(Ok(id))
}

fn is_live_folder(rows: &Connection, workspace: &Workspace, folder: &str) -> Result<bool> {
    if folder == "root" {
        return Ok(true);
    }
    let Ok(id) = NodeId::parse(folder) else { return Ok(false) };
    Ok(nodes::find(rows, &workspace.id, &id)?.is_some_and(|node| node.kind == Kind::Folder && !node.trashed))
}
