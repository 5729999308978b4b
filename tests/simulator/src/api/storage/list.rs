//! Listing a folder, and everything.

use std::collections::HashMap;

use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{existing, view};
use crate::{
    api::{page, path::Place},
    app::App,
    envelope::{ApiError, Reply},
    params::{Params, Query},
    store::{
        accounts::Workspace,
        listing::{self, After, Order, SortBy},
        nodes::{self, Kind, Node},
    },
};

/// The position in a list, valid only for the same list in the same order.
#[derive(Serialize, Deserialize)]
struct Cursor {
    list: String,
    after: After,
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    place: Place,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let order = order(&query)?;
    let size = page::page_size(&query)?;
    app.store.read(|rows| {
        let parent = match &place {
            Place::Root => "root".to_owned(),
            Place::Trash => "trash".to_owned(),
            Place::Node(id) => match existing(rows, &workspace, id)? {
                node if node.kind == Kind::Folder => node.id.to_string(),
                _ => return Err(ApiError::invalid("node", "must be a folder", "folder id")),
            },
        };
        let list = format!("{parent} {order:?}");
        let after = after(&query, &list)?;
        let nodes = listing::children(rows, &workspace.id, &parent, order, after.as_ref(), size + 1)?;
        Ok(reply(nodes, &list, size, view::node))
    })
}

/// Everything outside the trash, the oldest first. `include=path` adds where each node is.
pub(super) async fn inventory(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    everything(&app, &workspace, &query, Order { by: SortBy::Created, descending: false })
}

/// Everything outside the trash, what was changed last first.
pub(super) async fn recent(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    everything(&app, &workspace, &query, Order { by: SortBy::Updated, descending: true })
}

fn everything(app: &App, workspace: &Workspace, query: &Params, order: Order) -> Result<Reply, ApiError> {
    let kind = query.one_of("type", &["file", "folder", "link", "note"])?.unwrap_or_default();
    let with_path = query.one_of("include", &["path"])?.is_some();
    let size = page::page_size(query)?;
    app.store.read(|rows| {
        let list = format!("everything {kind} {order:?}");
        let after = after(query, &list)?;
        let nodes = listing::inventory(rows, &workspace.id, kind, order, after.as_ref(), size + 1)?;
        let mut paths = HashMap::new();
        if with_path {
            for (node, _) in &nodes {
                paths.insert(node.id.clone(), nodes::path(rows, node)?);
            }
        }
        Ok(reply(nodes, &list, size, |node| {
            let mut shown = view::node(node);
            if let (Some(shown), Some(path)) = (shown.as_object_mut(), paths.get(&node.id)) {
                shown.insert("path".to_owned(), path.clone().into());
            }
            shown
        }))
    })
}

fn order(query: &Params) -> Result<Order, ApiError> {
    let by = match query.one_of("sort_by", &["name", "updated", "created", "type"])? {
        Some("updated") => SortBy::Updated,
        Some("created") => SortBy::Created,
        Some("type") => SortBy::Type,
        _ => SortBy::Name,
    };
    let descending = query.one_of("sort_dir", &["asc", "desc"])? == Some("desc");
    Ok(Order { by, descending })
}

fn after(query: &Params, list: &str) -> Result<Option<After>, ApiError> {
    let Some(cursor) = query.optional("cursor") else { return Ok(None) };
    page::decode::<Cursor>(cursor)
        .filter(|cursor| cursor.list == list)
        .map(|cursor| Some(cursor.after))
        .ok_or_else(|| ApiError::invalid("cursor", "is not a cursor of this list", "string"))
}

/// `nodes` has one more than the page when there is a next page.
fn reply(mut nodes: Vec<(Node, After)>, list: &str, size: usize, view: impl Fn(&Node) -> Value) -> Reply {
    let more = nodes.len() > size;
    nodes.truncate(size);
    let next = nodes
        .last()
        .filter(|_| more)
        .map(|(_, after)| page::encode(&Cursor { list: list.to_owned(), after: after.clone() }));
    let items: Vec<Value> = nodes.iter().map(|(node, _)| view(node)).collect();
    Reply::new()
        .with("nodes", json!({ "count": items.len(), "items": items }))
        .with("pagination", page::cursor_page(next.as_deref(), size))
}
