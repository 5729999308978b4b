//! The state on disk: rows in one `SQLite` database, bytes in files beside it.
//!
//! `SQLite` (compiled in) because it is one file, its transactions tie a change to the event row and
//! the webhook deliveries that the change causes, and a process that is killed in the middle
//! leaves the last committed state. Write-ahead log with `synchronous = NORMAL`: nothing is lost
//! when the process dies; only a power cut could lose the last moments, which a test double may.
//!
//! Calls hold one connection for well under a millisecond each, so a mutex is enough and the
//! calls are made straight from async code.

pub(crate) mod accounts;
pub(crate) mod batches;
pub(crate) mod blobs;
pub(crate) mod checksum;
pub(crate) mod comments;
pub(crate) mod deliveries;
pub(crate) mod event_names;
pub(crate) mod events;
pub(crate) mod format;
pub(crate) mod listing;
pub(crate) mod locks;
pub(crate) mod metadata;
pub(crate) mod nodes;
pub(crate) mod placing;
pub(crate) mod reactions;
pub(crate) mod scans;
pub(crate) mod subscriptions;
pub(crate) mod tree;
pub(crate) mod uploads;
pub(crate) mod versions;
pub(crate) mod web_sources;
pub(crate) mod webhooks;

use std::{
    collections::HashSet,
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use tokio::sync::watch;

pub(crate) use blobs::Blobs;

/// Columns that are younger than the first state directories: table, name, definition.
const LATER_COLUMNS: [(&str, &str, &str); 9] = [
    ("api_keys", "events_search", "INTEGER NOT NULL DEFAULT 1"),
    ("api_keys", "org_changes", "INTEGER NOT NULL DEFAULT 1"),
    ("orgs", "external", "INTEGER NOT NULL DEFAULT 0"),
    ("workspaces", "kind", "TEXT NOT NULL DEFAULT 'workspace'"),
    ("nodes", "link", "TEXT"),
    ("webhooks", "format", "TEXT"),
    ("webhooks", "failures", "INTEGER NOT NULL DEFAULT 0"),
    ("deliveries", "spoilt", "TEXT"),
    ("upload_sessions", "file_hash", "TEXT"),
];

/// Why the state directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database file is unreadable, locked or not a database.
    #[error("state database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The directory could not be made or cleaned.
    #[error("state directory: {0}")]
    Directory(#[from] std::io::Error),
}

/// Rows, bytes and a signal that rows have changed.
pub(crate) struct Store {
    connection: Mutex<Connection>,
    pub(crate) blobs: Blobs,
    commits: watch::Sender<u64>,
}

impl Store {
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(directory)?;
        let connection = Connection::open(directory.join("state.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(include_str!("schema.sql"))?;
        add_columns(&connection)?;
        let blobs = Blobs::open(directory)?;
        blobs.sweep(&needed_blobs(&connection)?)?;
        Ok(Self { connection: Mutex::new(connection), blobs, commits: watch::Sender::new(0) })
    }

    /// Runs queries.
    pub(crate) fn read<T, E>(&self, queries: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        queries(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a change as one transaction, rolled back when it returns an error.
    pub(crate) fn write<T, E>(&self, change: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        let outcome = {
            let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = change(&transaction)?;
            transaction.commit()?;
            outcome
        };
        self.commits.send_modify(|count| *count += 1);
        Ok(outcome)
    }

    /// Changes after every committed transaction. Whoever waits for something subscribes
    /// first, then looks, then waits for a change and looks again.
    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// A random value that is made once and kept with the state.
    pub(crate) fn secret(&self, name: &str) -> Result<Vec<u8>, rusqlite::Error> {
        self.write(|rows| {
            let made: [u8; 32] = rand::random();
            rows.execute(
                "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (name, made.as_slice()),
            )?;
            rows.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
        })
    }
}

fn add_columns(connection: &Connection) -> rusqlite::Result<()> {
    for (table, column, definition) in LATER_COLUMNS {
        let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        if connection.query_row(sql, (table, column), |row| row.get::<_, i64>(0))? == 0 {
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {definition}"))?;
        }
    }
    Ok(())
}

/// Names of the blobs that a row needs. The parts of an upload that has ended are not: what there was of it is stored, or
/// cannot be saved any more.
fn needed_blobs(rows: &Connection) -> rusqlite::Result<HashSet<String>> {
    let sql = "SELECT blob FROM versions UNION SELECT blob FROM assembled UNION SELECT blob FROM web_sources \
               UNION SELECT c.blob FROM upload_chunks c JOIN upload_sessions s ON s.id = c.upload \
               WHERE s.status IN ('ready', 'uploading', 'assembling', 'storing')";
    rows.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// `query_row` whose absence of a row is `None`.
fn one<T>(
    rows: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    rows.prepare_cached(sql)?.query_row(params, read).optional()
}

/// All rows of a query.
fn all<T>(
    rows: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    rows.prepare_cached(sql)?.query_map(params, read)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_an_older_version_gets_the_columns_that_it_lacks() {
        let directory = tempfile::tempdir().unwrap();
        let old = Connection::open(directory.path().join("state.sqlite")).unwrap();
        old.execute_batch(
            "CREATE TABLE webhooks (
                id TEXT PRIMARY KEY, workspace TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL,
                secret TEXT NOT NULL, enabled INTEGER NOT NULL, created INTEGER NOT NULL
             ) STRICT;
             INSERT INTO webhooks VALUES ('wm', '1', 'http://x/', 'upload', 'secret', 1, 0);",
        )
        .unwrap();
        drop(old);
        for _ in 0..2 {
            let store = Store::open(directory.path()).unwrap();
            let found = store.read(|rows| webhooks::list(rows, None)).unwrap();
            assert_eq!((found.len(), found[0].failures), (1, 0));
            assert_eq!(found[0].format, format::Format::default());
        }
    }
}
