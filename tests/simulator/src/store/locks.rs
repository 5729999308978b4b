//! Exclusive locks on files, which end by themselves.

use rusqlite::{Connection, Result};
use serde_json::Value;

use crate::{
    ids::{NodeId, ProfileId},
    time::Instant,
};

/// A lock. Whether it still holds depends on the time: see [`Lock::holds`].
#[derive(Debug, Clone)]
pub(crate) struct Lock {
    pub(crate) token: String,
    pub(crate) owner: ProfileId,
    pub(crate) client_info: Option<Value>,
    /// How long each heartbeat keeps it, in seconds.
    pub(crate) seconds: i64,
    pub(crate) created: Instant,
    pub(crate) expires: Instant,
}

impl Lock {
    pub(crate) fn holds(&self) -> bool {
        self.expires > Instant::now()
    }
}

/// Writes a lock in place of an old one.
pub(crate) fn put(rows: &Connection, node: &NodeId, lock: &Lock) -> Result<()> {
    rows.execute(
        "INSERT OR REPLACE INTO locks (node, token, owner, client_info, seconds, created, expires) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            node,
            &lock.token,
            &lock.owner,
            lock.client_info.as_ref().map(Value::to_string),
            lock.seconds,
            lock.created,
            lock.expires,
        ),
    )?;
    Ok(())
}

pub(crate) fn delete(rows: &Connection, node: &NodeId) -> Result<()> {
    rows.execute("DELETE FROM locks WHERE node = ?1", [node])?;
    Ok(())
}
