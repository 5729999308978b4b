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

/// Live nodes whose name is accepted, by name: a page of them, with the number of all. No more than `most` are looked at.
pub(crate) fn search(
    rows: &Connection,
    workspace: &ProfileId,
    accepts: impl Fn(&str) -> bool,
    most: usize,
    (limit, offset): (i64, i64),
) -> Result<(Vec<Node>, i64)> {
    let range = offset..offset.saturating_add(limit);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let (mut found, mut total) = (Vec::new(), 0);
    let sql = nodes::select("WHERE n.workspace = ?1 AND n.trashed = 0 ORDER BY n.name, n.id");
    let mut statement = rows.prepare_cached(&sql)?;
    let mut live = statement.query([workspace])?;
    while total < most
        && let Some(row) = live.next()?
    {
        if !accepts(row.get_ref(nodes::NAME)?.as_str()?) {
            continue;
        }
        if range.contains(&total) {
            found.push(node(row)?);
        }
        total += 1;
    }
    Ok((found, total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Store,
        accounts::{self, ProfileKind},
        nodes::Kind,
        tree,
    };

    #[test]
    fn a_search_looks_at_so_many_matches_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let id = ProfileId::random();
        store
            .write(|rows| -> Result<()> {
                let (org, user) = (accounts::put_org(rows, "Org")?, accounts::user(rows, "Ann")?);
                accounts::create_profile(rows, &id, &org.id, "Test", ProfileKind::Workspace)?;
                for number in 0..5 {
                    tree::insert(rows, &id, "root", &format!("{number}a"), &user, Kind::Folder)?;
                    tree::insert(rows, &id, "root", &format!("{number}b"), &user, Kind::Folder)?;
                }
                Ok(())
            })
            .unwrap();
        let names = |most, range| {
            let accepts = |name: &str| name.ends_with('a');
            let (found, total) = store.read(|rows| search(rows, &id, accepts, most, range)).unwrap();
            (found.into_iter().map(|node| node.name).collect::<Vec<_>>(), total)
        };
        assert_eq!(names(usize::MAX, (2, 1)), (vec!["1a".to_owned(), "2a".to_owned()], 5));
        assert_eq!(names(3, (100, 1)), (vec!["1a".to_owned(), "2a".to_owned()], 3));
        assert_eq!(names(usize::MAX, (10, 5)), (vec![], 5));
    }
}
