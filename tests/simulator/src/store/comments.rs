//! Comments on nodes.

use rusqlite::{Connection, Result, Row};
use serde_json::Value;

use super::{accounts::ProfileKind, all, one};
use crate::{
    ids::{CommentId, ProfileId},
    time::Instant,
};

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: CommentId,
    /// Where the node is: in a workspace or in a share.
    pub(crate) entity: ProfileKind,
    pub(crate) workspace: ProfileId,
    pub(crate) node: String,
    pub(crate) author: ProfileId,
    pub(crate) parent: Option<CommentId>,
    pub(crate) body: String,
    pub(crate) reference: Option<Value>,
    pub(crate) properties: Option<Value>,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) deleted: Option<Instant>,
}

const COMMENT: &str = "SELECT id, workspace, node, author, parent, body, reference, properties, created, updated, \
                       deleted, (SELECT kind FROM workspaces w WHERE w.id = workspace) FROM comments";

fn comment(row: &Row<'_>) -> Result<Comment> {
    let (reference, properties): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    let entity: String = row.get(11)?;
    Ok(Comment {
        id: row.get(0)?,
        entity: ProfileKind::of(&entity),
        workspace: row.get(1)?,
        node: row.get(2)?,
        author: row.get(3)?,
        parent: row.get(4)?,
        body: row.get(5)?,
        reference: reference.and_then(|text| serde_json::from_str(&text).ok()),
        properties: properties.and_then(|text| serde_json::from_str(&text).ok()),
        created: row.get(8)?,
        updated: row.get(9)?,
        deleted: row.get(10)?,
    })
}

/// Adds a comment or replaces the one with its id.
pub(crate) fn put(rows: &Connection, comment: &Comment) -> Result<()> {
    rows.execute(
        "INSERT INTO comments (id, workspace, node, author, parent, body, reference, properties, \
         created, updated, deleted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (id) DO UPDATE SET body = ?6, reference = ?7, properties = ?8, updated = ?10, deleted = ?11",
        (
            &comment.id,
            &comment.workspace,
            &comment.node,
            &comment.author,
            &comment.parent,
            &comment.body,
            comment.reference.as_ref().map(Value::to_string),
            comment.properties.as_ref().map(Value::to_string),
            comment.created,
            comment.updated,
            comment.deleted,
        ),
    )?;
    Ok(())
}

pub(crate) fn find(rows: &Connection, id: &CommentId) -> Result<Option<Comment>> {
    one(rows, &format!("{COMMENT} WHERE id = ?1"), [id], comment)
}

/// Which comments a listing shows.
#[derive(Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) workspace: &'a ProfileId,
    /// `None`: those of the whole workspace.
    pub(crate) node: Option<&'a str>,
    pub(crate) include_deleted: bool,
    pub(crate) newest_first: bool,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A page and the number of all.
pub(crate) fn list(rows: &Connection, listing: &Listing<'_>) -> Result<(Vec<Comment>, i64)> {
    let scope = "workspace = ?1 AND (?2 IS NULL OR node = ?2) AND (?3 OR deleted IS NULL)";
    let total = rows
        .prepare_cached(&format!("SELECT count(*) FROM comments WHERE {scope}"))?
        .query_row((listing.workspace, listing.node, listing.include_deleted), |row| row.get(0))?;
    let direction = if listing.newest_first { "DESC" } else { "ASC" };
    let sql = format!("{COMMENT} WHERE {scope} ORDER BY created {direction} LIMIT ?4 OFFSET ?5");
    let params = (listing.workspace, listing.node, listing.include_deleted, listing.limit, listing.offset);
    Ok((all(rows, &sql, params, comment)?, total))
}
