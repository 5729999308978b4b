//! Pages of nodes: a folder, everything, what a search finds.

use rusqlite::{Connection, Result};

use super::{
    all,
    nodes::{self, Node, node},
};
use crate::ids::ProfileId;

/// What a listing sorts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) by: SortBy,
    pub(crate) descending: bool,
}

/// The values of `sort_by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortBy {
    Name,
    Updated,
    Created,
    Type,
}

impl SortBy {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "n.name",
            Self::Updated => "printf('%020d', n.modified)",
            Self::Created => "printf('%020d', n.created)",
            Self::Type => "n.kind",
        }
    }
}

/// Where a listing goes on: sort value and id of the last row of the page before.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct After {
    pub(crate) value: String,
    pub(crate) id: String,
}

/// A page of a folder with the place where the next one starts.
pub(crate) fn children(
    rows: &Connection,
    workspace: &ProfileId,
    parent: &str,
    order: Order,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Node, After)>> {
    let scope = "n.workspace = ?1 AND n.parent = ?2";
    page(rows, scope, (workspace.as_str(), parent), order, after, limit)
}

/// A page of everything that is not in the trash. `kind` empty means every kind.
pub(crate) fn inventory(
    rows: &Connection,
    workspace: &ProfileId,
    kind: &str,
    order: Order,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Node, After)>> {
    let scope = "n.workspace = ?1 AND n.trashed = 0 AND (?2 = '' OR n.kind = ?2)";
    page(rows, scope, (workspace.as_str(), kind), order, after, limit)
}

fn page(
    rows: &Connection,
    scope: &str,
    (first, second): (&str, &str),
    order: Order,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<(Node, After)>> {
    let column = order.by.column();
    let (compare, direction) = if order.descending { ("<", "DESC") } else { (">", "ASC") };
    let sql = nodes::select_with(
        column,
        &format!(
            "WHERE {scope} AND (?3 IS NULL OR ({column}, n.id) {compare} (?3, ?4)) \
             ORDER BY {column} {direction}, n.id {direction} LIMIT ?5"
        ),
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = (first, second, after.map(|at| &at.value), after.map(|at| &at.id), limit);
    all(rows, &sql, params, |row| {
        let node = node(row)?;
        let at = After { value: row.get(nodes::ADDED)?, id: node.id.as_str().to_owned() };
        Ok((node, at))
    })
}

/// Live nodes whose name contains the text, by name; with the number of all of them.
pub(crate) fn search(
    rows: &Connection,
    workspace: &ProfileId,
    text: &str,
    case_sensitive: bool,
    (limit, offset): (i64, i64),
) -> Result<(Vec<Node>, i64)> {
    let contains = if case_sensitive { "instr(n.name, ?2)" } else { "instr(lower(n.name), lower(?2))" };
    let scope = format!("n.workspace = ?1 AND n.trashed = 0 AND {contains} > 0");
    let total = rows
        .prepare_cached(&format!("SELECT count(*) FROM nodes n WHERE {scope}"))?
        .query_row((workspace, text), |row| row.get(0))?;
    let sql = nodes::select(&format!("WHERE {scope} ORDER BY n.name, n.id LIMIT ?3 OFFSET ?4"));
    Ok((all(rows, &sql, (workspace, text, limit, offset), node)?, total))
}
