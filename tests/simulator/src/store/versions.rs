//! Versions of the bytes of a file. Several versions can have the same blob: copies share it.

use rusqlite::{Connection, Result, Row};

use super::{
    Blobs, all,
    blobs::Blob,
    one,
    scans::{self, Scan},
};
use crate::{
    ids::{NodeId, ProfileId, UploadId, VersionId},
    time::Instant,
};

/// One version of the bytes of a file.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: VersionId,
    pub(crate) blob: String,
    pub(crate) size: i64,
    pub(crate) sha256: String,
    /// Eight lower-case hexadecimal digits.
    pub(crate) crc32c: String,
    pub(crate) created: Instant,
    pub(crate) creator: ProfileId,
    pub(crate) upload: UploadId,
    pub(crate) scan: Scan,
}

impl Version {
    pub(crate) async fn open(&self, blobs: &Blobs) -> std::io::Result<tokio::fs::File> {
        blobs.read(&self.blob).await
    }

    /// What it is made of, for another version of the same bytes.
    pub(crate) fn blob(&self) -> Blob {
        Blob {
            name: self.blob.clone(),
            size: self.size,
            crc32c: u32::from_str_radix(&self.crc32c, 16).unwrap_or_default(),
            sha256: self.sha256.clone(),
        }
    }
}

pub(super) const COLUMNS: &str = "v.id, v.blob, v.size, v.sha256, v.crc32c, v.created, v.creator, v.upload, \
    (SELECT status FROM scans WHERE blob = v.blob), (SELECT reason FROM scans WHERE blob = v.blob)";

/// Reads [`COLUMNS`], which must be the first ones of the row.
pub(super) fn version(row: &Row<'_>) -> Result<Version> {
    Ok(Version {
        id: row.get(0)?,
        blob: row.get(1)?,
        size: row.get(2)?,
        sha256: row.get(3)?,
        crc32c: row.get(4)?,
        created: row.get(5)?,
        creator: row.get(6)?,
        upload: row.get(7)?,
        scan: Scan::of(row.get(8)?, row.get(9)?),
    })
}

/// Gives a file new bytes; the old ones stay as a version.
pub(crate) fn add(
    rows: &Connection,
    node: &NodeId,
    blob: &Blob,
    creator: &ProfileId,
    upload: &UploadId,
) -> Result<()> {
    let (id, now) = (VersionId::random(), Instant::now());
    rows.execute(
        "INSERT INTO versions (id, node, blob, size, sha256, crc32c, created, creator, upload) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        (
            &id,
            node,
            &blob.name,
            blob.size,
            &blob.sha256,
            format!("{:08x}", blob.crc32c),
            now,
            creator,
            upload,
        ),
    )?;
    rows.execute("UPDATE nodes SET version = ?2, modified = ?3 WHERE id = ?1", (node, &id, now))?;
    Ok(())
}

/// All versions of a file, newest first.
pub(crate) fn list(rows: &Connection, node: &NodeId) -> Result<Vec<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM versions v WHERE v.node = ?1 ORDER BY v.created DESC");
    all(rows, &sql, [node], version)
}

/// A version of a file that is not purged, with those bytes.
pub(crate) fn with_hash(rows: &Connection, workspace: &ProfileId, sha256: &str) -> Result<Option<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM versions v JOIN nodes n ON n.id = v.node \
         WHERE n.workspace = ?1 AND v.sha256 = ?2 LIMIT 1"
    );
    one(rows, &sql, (workspace, sha256), version)
}

/// The version that an upload session has become.
pub(crate) fn of_upload(rows: &Connection, upload: &UploadId) -> Result<Option<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM versions v WHERE v.upload = ?1 ORDER BY v.created LIMIT 1");
    one(rows, &sql, [upload], version)
}

/// Removes the versions of a node. Answers with the blobs that nothing needs any more.
pub(super) fn purge(rows: &Connection, node: &NodeId) -> Result<Vec<String>> {
    let blobs: Vec<String> =
        all(rows, "SELECT DISTINCT blob FROM versions WHERE node = ?1", [node], |row| row.get(0))?;
    rows.execute("DELETE FROM versions WHERE node = ?1", [node])?;
    let mut unused = Vec::new();
    for blob in blobs {
        if !is_used(rows, &blob)? {
            scans::forget(rows, &blob)?;
            unused.push(blob);
        }
    }
    Ok(unused)
}

/// Whether a file, an unplaced upload or a web source needs the blob.
pub(crate) fn is_used(rows: &Connection, blob: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM versions WHERE blob = ?1) \
               OR EXISTS (SELECT 1 FROM assembled WHERE blob = ?1) \
               OR EXISTS (SELECT 1 FROM web_sources WHERE blob = ?1)";
    rows.prepare_cached(sql)?.query_row([blob], |row| row.get(0))
}

/// Bytes of all versions of all files of a workspace.
pub(crate) fn stored_bytes(rows: &Connection, workspace: &ProfileId) -> Result<i64> {
    let sql = "SELECT coalesce(sum(v.size), 0) FROM versions v JOIN nodes n ON n.id = v.node WHERE n.workspace = ?1";
    rows.prepare_cached(sql)?.query_row([workspace], |row| row.get(0))
}
