//! What the service's virus scan says about bytes. Those that nobody has said anything about are clean.
//!
//! The result is one of the bytes and not of a file: copies have it too, and the next version of a file does not.

use rusqlite::{Connection, Result};

/// The result of a scan. Its words are text: the service does not publish them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
}

impl Scan {
    pub(super) fn of(status: Option<String>, reason: Option<String>) -> Self {
        Self { status: status.unwrap_or_else(|| "clean".to_owned()), reason }
    }
}

pub(crate) fn put(rows: &Connection, blob: &str, scan: &Scan) -> Result<()> {
    rows.execute(
        "INSERT INTO scans (blob, status, reason) VALUES (?1, ?2, ?3) \
         ON CONFLICT (blob) DO UPDATE SET status = excluded.status, reason = excluded.reason",
        (blob, &scan.status, &scan.reason),
    )?;
    Ok(())
}

pub(super) fn forget(rows: &Connection, blob: &str) -> Result<()> {
    rows.execute("DELETE FROM scans WHERE blob = ?1", [blob])?;
    Ok(())
}
