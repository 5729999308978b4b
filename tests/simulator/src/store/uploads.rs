//! Upload sessions and their chunks. [`super::placing`] makes files of them.

use rusqlite::{Connection, Result, Row};

use super::{all, blobs::Blob, checksum::Checksum, one};
use crate::{
    ids::{NodeId, ProfileId, UploadId, VersionId},
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
    /// Workspace or share. `None`: the bytes wait for an `addfile`.
    pub(crate) workspace: Option<ProfileId>,
    /// `root` or the id of a folder.
    pub(crate) folder: String,
    pub(crate) name: String,
    /// `None` until the end of a stream.
    pub(crate) size: Option<i64>,
    /// `action=update`: the file that gets a new version.
    pub(crate) target: Option<NodeId>,
    /// The version that the file must still have then.
    pub(crate) if_version: Option<VersionId>,
    /// `stream=true`: the bytes come in one body of unknown length.
    pub(crate) stream: bool,
    /// Largest size of a stream.
    pub(crate) max_size: Option<i64>,
    /// Where the bytes of a web upload come from.
    pub(crate) source_url: Option<String>,
    pub(crate) status: Status,
    pub(crate) message: Option<String>,
    /// The file that it became.
    pub(crate) node: Option<NodeId>,
    /// CRC-32C of the whole file as the client declared it.
    pub(crate) file_crc32c: Option<String>,
    pub(crate) computed_crc32c: Option<String>,
    /// Another checksum of the whole file, if the client declared one.
    pub(crate) file_hash: Option<Checksum>,
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

const COLUMNS: &str = "id, user, workspace, folder, name, size, target, if_version, stream, max_size, source_url, \
                       status, message, node, file_crc32c, computed_crc32c, created, updated, \
                       file_hash";

fn session(row: &Row<'_>) -> Result<Session> {
    let status: String = row.get(11)?;
    Ok(Session {
        id: row.get(0)?,
        user: row.get(1)?,
        workspace: row.get(2)?,
        folder: row.get(3)?,
        name: row.get(4)?,
        size: row.get(5)?,
        target: row.get(6)?,
        if_version: row.get(7)?,
        stream: row.get(8)?,
        max_size: row.get(9)?,
        source_url: row.get(10)?,
        status: Status::ALL.into_iter().find(|known| known.as_str() == status).unwrap_or(Status::StoreFailed),
        message: row.get(12)?,
        node: row.get(13)?,
        file_crc32c: row.get(14)?,
        computed_crc32c: row.get(15)?,
        created: row.get(16)?,
        updated: row.get(17)?,
        file_hash: row.get(18)?,
    })
}

/// Writes a session, new or changed.
pub(crate) fn put(rows: &Connection, session: &Session) -> Result<()> {
    rows.prepare_cached(&format!(
        "INSERT INTO upload_sessions ({COLUMNS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
         ON CONFLICT (id) DO UPDATE SET size = ?6, status = ?12, message = ?13, node = ?14, file_crc32c = ?15, \
         computed_crc32c = ?16, updated = ?18"
    ))?
    .execute(rusqlite::params![
        session.id,
        session.user,
        session.workspace,
        session.folder,
        session.name,
        session.size,
        session.target,
        session.if_version,
        session.stream,
        session.max_size,
        session.source_url,
        session.status.as_str(),
        session.message,
        session.node,
        session.file_crc32c,
        session.computed_crc32c,
        session.created,
        Instant::now(),
        session.file_hash,
    ])?;
    Ok(())
}

pub(crate) fn find(rows: &Connection, id: &UploadId) -> Result<Option<Session>> {
    one(rows, &format!("SELECT {COLUMNS} FROM upload_sessions WHERE id = ?1"), [id], session)
}

/// Sessions of a user, or of everybody.
pub(crate) fn list(rows: &Connection, user: Option<&ProfileId>) -> Result<Vec<Session>> {
    all(
        rows,
        &format!("SELECT {COLUMNS} FROM upload_sessions WHERE ?1 IS NULL OR user = ?1 ORDER BY created"),
        [user],
        session,
    )
}

/// Sessions of a user that changed after an instant.
pub(crate) fn changed_since(rows: &Connection, user: &ProfileId, after: Instant) -> Result<Vec<Session>> {
    all(
        rows,
        &format!("SELECT {COLUMNS} FROM upload_sessions WHERE user = ?1 AND updated > ?2 ORDER BY updated"),
        (user, after),
        session,
    )
}

pub(crate) fn delete(rows: &Connection, id: &UploadId) -> Result<()> {
    rows.execute("DELETE FROM upload_sessions WHERE id = ?1", [id])?;
    Ok(())
}

pub(crate) fn chunks(rows: &Connection, id: &UploadId) -> Result<Vec<Chunk>> {
    let sql = "SELECT position, blob, size, crc32c FROM upload_chunks WHERE upload = ?1 ORDER BY position";
    all(rows, sql, [id], |row| {
        Ok(Chunk { position: row.get(0)?, blob: row.get(1)?, size: row.get(2)?, crc32c: row.get(3)? })
    })
}

/// Adds a chunk; one of the same position is replaced, as clients send a chunk again after an
/// answer that they did not get.
pub(crate) fn put_chunk(rows: &Connection, id: &UploadId, chunk: &Chunk) -> Result<()> {
    rows.execute(
        "INSERT OR REPLACE INTO upload_chunks (upload, position, blob, size, crc32c) VALUES (?1, ?2, ?3, ?4, ?5)",
        (id, chunk.position, &chunk.blob, chunk.size, chunk.crc32c),
    )?;
    Ok(())
}

pub(crate) fn delete_chunks(rows: &Connection, id: &UploadId, position: Option<i64>) -> Result<()> {
    let sql = "DELETE FROM upload_chunks WHERE upload = ?1 AND (?2 IS NULL OR position = ?2)";
    rows.execute(sql, (id, position))?;
    Ok(())
}

/// Keeps the assembled bytes of a session that names no place.
pub(crate) fn put_assembled(rows: &Connection, id: &UploadId, blob: &Blob) -> Result<()> {
    rows.execute(
        "INSERT INTO assembled (upload, blob, size, sha256, crc32c) VALUES (?1, ?2, ?3, ?4, ?5)",
        (id, &blob.name, blob.size, &blob.sha256, blob.crc32c),
    )?;
    Ok(())
}

pub(crate) fn assembled(rows: &Connection, id: &UploadId) -> Result<Option<Blob>> {
    let sql = "SELECT blob, size, sha256, crc32c FROM assembled WHERE upload = ?1";
    one(rows, sql, [id], |row| {
        Ok(Blob { name: row.get(0)?, size: row.get(1)?, sha256: row.get(2)?, crc32c: row.get(3)? })
    })
}
