//! Reactions to comments and nodes that are attached to them.

use rusqlite::{Connection, Result};

use super::all;
use crate::{
    ids::{CommentId, NodeId, ProfileId},
    time::Instant,
};

/// Sets the one reaction that a user has to a comment.
pub(crate) fn set(rows: &Connection, comment: &CommentId, user: &ProfileId, emoji: &str) -> Result<()> {
    rows.execute(
        "INSERT OR REPLACE INTO reactions (comment, user, emoji, created) VALUES (?1, ?2, ?3, ?4)",
        (comment, user, emoji, Instant::now()),
    )?;
    Ok(())
}

pub(crate) fn remove(rows: &Connection, comment: &CommentId, user: &ProfileId) -> Result<bool> {
    Ok(rows.execute("DELETE FROM reactions WHERE comment = ?1 AND user = ?2", (comment, user))? > 0)
}

/// Emoji and user, the oldest first.
pub(crate) fn list(rows: &Connection, comment: &CommentId) -> Result<Vec<(String, ProfileId)>> {
    let sql = "SELECT emoji, user FROM reactions WHERE comment = ?1 ORDER BY created";
    all(rows, sql, [comment], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Attaches a node; one that is attached already stays so.
pub(crate) fn attach(rows: &Connection, comment: &CommentId, node: &NodeId) -> Result<()> {
    rows.execute(
        "INSERT OR IGNORE INTO attachments (comment, node, created) VALUES (?1, ?2, ?3)",
        (comment, node, Instant::now()),
    )?;
    Ok(())
}

/// Whether it was attached.
pub(crate) fn detach(rows: &Connection, comment: &CommentId, node: &NodeId) -> Result<bool> {
    Ok(rows.execute("DELETE FROM attachments WHERE comment = ?1 AND node = ?2", (comment, node))? > 0)
}

pub(crate) fn attached(rows: &Connection, comment: &CommentId) -> Result<Vec<NodeId>> {
    let sql = "SELECT node FROM attachments WHERE comment = ?1 ORDER BY created";
    all(rows, sql, [comment], |row| row.get(0))
}
