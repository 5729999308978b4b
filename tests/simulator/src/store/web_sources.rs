//! What web uploads find at a URL. The control API says it; nothing is ever fetched.

use rusqlite::{Connection, Result};

use super::{blobs::Blob, one};

/// Adds a source or replaces what is at its URL. Answers with a blob that is not needed any more.
pub(crate) fn put(rows: &Connection, url: &str, blob: &Blob) -> Result<Option<String>> {
    let old = find(rows, url)?;
    rows.execute(
        "INSERT OR REPLACE INTO web_sources (url, blob, size, sha256, crc32c) VALUES (?1, ?2, ?3, ?4, ?5)",
        (url, &blob.name, blob.size, &blob.sha256, blob.crc32c),
    )?;
    match old {
        Some(old) if !super::versions::is_used(rows, &old.name)? => Ok(Some(old.name)),
        _ => Ok(None),
    }
}

pub(crate) fn find(rows: &Connection, url: &str) -> Result<Option<Blob>> {
    one(rows, "SELECT blob, size, sha256, crc32c FROM web_sources WHERE url = ?1", [url], |row| {
        Ok(Blob { name: row.get(0)?, size: row.get(1)?, sha256: row.get(2)?, crc32c: row.get(3)? })
    })
}
