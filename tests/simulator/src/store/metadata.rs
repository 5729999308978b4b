//! Metadata facts of nodes with their history, and the fields that a workspace has declared by using
//! them.

use rusqlite::{Connection, Result};
use serde_json::Value;

use super::{all, one};
use crate::{
    ids::{MetadataVersionId, NodeId, ProfileId},
    time::Instant,
};

/// A value that a user has set on a node.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) field: String,
    pub(crate) value: Value,
    pub(crate) declared_type: String,
    pub(crate) stored_type: String,
    pub(crate) updated: Instant,
}

pub(crate) fn facts(rows: &Connection, workspace: &ProfileId, node: &NodeId) -> Result<Vec<Fact>> {
    let sql = "SELECT fields.name, facts.value, fields.declared_type, facts.stored_type, facts.updated \
               FROM facts JOIN fields ON fields.name = facts.field AND fields.workspace = ?1 \
               WHERE facts.node = ?2 ORDER BY fields.name";
    all(rows, sql, (workspace, node), |row| {
        let value: String = row.get(1)?;
        Ok(Fact {
            field: row.get(0)?,
            value: serde_json::from_str(&value).unwrap_or_default(),
            declared_type: row.get(2)?,
            stored_type: row.get(3)?,
            updated: row.get(4)?,
        })
    })
}

/// The type that the workspace has declared for a field. Names are compared without case.
pub(crate) fn declared_type(rows: &Connection, workspace: &ProfileId, name: &str) -> Result<Option<String>> {
    let sql = "SELECT declared_type FROM fields WHERE workspace = ?1 AND name = ?2";
    one(rows, sql, (workspace, name), |row| row.get(0))
}

/// Declares a field. There is no way back: the service has none either.
pub(crate) fn declare(rows: &Connection, workspace: &ProfileId, name: &str, kind: &str) -> Result<()> {
    let sql =
        "INSERT INTO fields (workspace, name, declared_type) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    rows.execute(sql, (workspace, name, kind))?;
    Ok(())
}

pub(crate) fn set(rows: &Connection, node: &NodeId, field: &str, value: &Value, kind: &str) -> Result<()> {
    rows.execute(
        "INSERT OR REPLACE INTO facts (node, field, value, stored_type, updated) VALUES (?1, ?2, ?3, ?4, ?5)",
        (node, field, value.to_string(), kind, Instant::now()),
    )?;
    Ok(())
}

/// Whether there was such a fact.
pub(crate) fn delete(rows: &Connection, node: &NodeId, field: &str) -> Result<bool> {
    Ok(rows.execute("DELETE FROM facts WHERE node = ?1 AND field = ?2", (node, field))? > 0)
}

/// The facts of a node as they were after a change.
#[derive(Debug, Clone)]
pub(crate) struct FactVersion {
    pub(crate) id: MetadataVersionId,
    pub(crate) user: ProfileId,
    pub(crate) items: Value,
    pub(crate) created: Instant,
}

/// Writes down how the facts of a node are now.
pub(crate) fn put_version(rows: &Connection, node: &NodeId, user: &ProfileId, items: &Value) -> Result<()> {
    rows.execute(
        "INSERT INTO fact_versions (id, node, user, items, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        (MetadataVersionId::random(), node, user, items.to_string(), Instant::now()),
    )?;
    Ok(())
}

/// Newest first.
pub(crate) fn versions(rows: &Connection, node: &NodeId) -> Result<Vec<FactVersion>> {
    let sql = "SELECT id, user, items, created FROM fact_versions WHERE node = ?1 ORDER BY created DESC";
    all(rows, sql, [node], |row| {
        let items: String = row.get(2)?;
        Ok(FactVersion {
            id: row.get(0)?,
            user: row.get(1)?,
            items: serde_json::from_str(&items).unwrap_or_default(),
            created: row.get(3)?,
        })
    })
}
