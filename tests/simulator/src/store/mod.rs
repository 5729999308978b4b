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
pub(crate) mod blobs;
pub(crate) mod comments;
pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod listing;
pub(crate) mod metadata;
pub(crate) mod nodes;
pub(crate) mod uploads;
pub(crate) mod webhooks;

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use tokio::sync::watch;

pub(crate) use blobs::Blobs;

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
        let blobs = Blobs::open(directory)?;
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
