//! Files and folders of a workspace. Source: official CLI 0.2.13, `storage.rs`; agent guide v1.41; captured replies of
//! May 2026.

mod node;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use node::{ContentHash, HashAlgorithm, Node, NodeKind, Origin, Virus, VirusStatus};

use crate::envelope::fields;
use crate::error::{Error, ErrorKind};
use crate::{Client, NodeId, Result, WorkspaceId};

/// Most nodes that [`Client::nodes`] asks for at once.
pub const MAX_BULK_NODES: usize = 25;

/// Nodes per page: 100, 250 and 500 are the only sizes that the service takes.
const PAGE_SIZE: &str = "500";
/// Most pages of a folder that are followed: a million nodes.
const MAX_PAGES: usize = 2_000;

/// A node that could not be read while others could.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NodeError {
    /// The node that was asked for.
    #[serde(rename = "node_id")]
    pub id: NodeId,
    /// The service's code, 133123 for a node that does not exist.
    #[serde(default, deserialize_with = "fields::opt_u64")]
    pub code: Option<u64>,
    /// The service's text.
    #[serde(default, alias = "text", deserialize_with = "fields::opt_text")]
    pub message: Option<String>,
}

impl NodeError {
    /// The node does not exist, or its content is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.code, Some(133_123 | 146_950 | 1609))
    }
}

/// Where the next page of a folder starts. Opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor(String);

/// One page of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodePage {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// The next page, if there is one.
    pub next: Option<PageCursor>,
}

#[derive(Deserialize)]
struct One {
    node: Node,
}

impl Client {
    /// One node: `GET /workspace/{ws}/storage/{node}/details/`. A node that does not exist is an error of class
    /// [`Gone`](crate::ErrorClass::Gone); one in the trash has [`Node::deleted`].
    pub async fn node(&self, ws: &WorkspaceId, id: &NodeId) -> Result<Node> {
        let reply: One = self.get("storage.details", &storage(ws, &[id.as_str(), "details"])).send().await?;
        Ok(reply.node)
    }

    /// Up to [`MAX_BULK_NODES`] nodes in one call, and an error for each that could not be read. Order is the service's.
    pub async fn nodes(&self, ws: &WorkspaceId, ids: &[NodeId]) -> Result<(Vec<Node>, Vec<NodeError>)> {
        const OPERATION: &str = "storage.details.bulk";
        if ids.len() > MAX_BULK_NODES {
            let problem = format!("{} ids, at most {MAX_BULK_NODES} are allowed in one call", ids.len());
            return Err(Error::argument(OPERATION, "ids", problem));
        }
        if ids.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let list = ids.iter().map(NodeId::as_str).collect::<Vec<_>>().join(",");
        let reply = self.get(OPERATION, &storage(ws, &[&list, "details"])).reply().await?;
        // When no node at all could be read, the status is 404 and the list of errors is there all the same.
        let fields = match reply.fields() {
            Ok(fields) => fields,
            Err(error) if reply.status() == 404 => match reply.any_fields() {
                Ok(fields) if fields.contains_key("errors") => fields,
                _ => return single_gone(ids, error),
            },
            Err(error) => return Err(error),
        };
        let bulk: Bulk = reply.read(fields)?;
        Ok((bulk.nodes.into_iter().chain(bulk.node).collect(), bulk.errors))
    }

    /// Every node of a folder ([`NodeId::root`] for the top), every page.
    pub async fn list_folder(&self, ws: &WorkspaceId, folder: &NodeId) -> Result<Vec<Node>> {
        let mut all = Vec::new();
        self.each_page(ws, folder, |nodes| {
            all.extend(nodes);
            None::<()>
        })
        .await?;
        Ok(all)
    }

    /// One page of a folder: `GET /workspace/{ws}/storage/{folder}/list/`, by name.
    pub async fn list_page(
        &self,
        ws: &WorkspaceId,
        folder: &NodeId,
        cursor: Option<&PageCursor>,
    ) -> Result<NodePage> {
        let call = self
            .get("storage.list", &storage(ws, &[folder.as_str(), "list"]))
            .query("sort_by", "name")
            .query("sort_dir", "asc")
            .query("page_size", PAGE_SIZE)
            .maybe_query("cursor", cursor.map(|cursor| cursor.0.as_str()));
        let reply = call.reply().await?;
        let fields = reply.fields()?;
        let next = next_cursor(&fields).map_err(|problem| reply.broken(problem))?;
        let listing: Listing = reply.read(fields)?;
        Ok(NodePage { nodes: listing.nodes.items, next })
    }

    /// The node of this exact name in a folder. Nodes in the trash do not count.
    pub async fn find_child(&self, ws: &WorkspaceId, parent: &NodeId, name: &str) -> Result<Option<Node>> {
        self.each_page(ws, parent, |nodes| nodes.into_iter().find(|node| node.name == name && !node.deleted))
            .await
    }

    /// Makes a folder: `POST /workspace/{ws}/storage/{parent}/createfolder/`. The service does not document what it
    /// does about a name that is taken: look with [`Client::find_child`] first, and at the name of the answer.
    pub async fn create_folder(&self, ws: &WorkspaceId, parent: &NodeId, name: &str) -> Result<Node> {
        const OPERATION: &str = "storage.createfolder";
        check_name(OPERATION, name)?;
        let reply: One = self
            .post(OPERATION, &storage(ws, &[parent.as_str(), "createfolder"]))
            .form(vec![("name", name.to_owned())])
            .send()
            .await?;
        Ok(reply.node)
    }

    /// Moves a node into the trash: `DELETE /workspace/{ws}/storage/{node}/delete/`.
    pub async fn delete_node(&self, ws: &WorkspaceId, id: &NodeId) -> Result<()> {
        self.delete("storage.delete", &storage(ws, &[id.as_str(), "delete"])).done().await
    }

    /// Calls `look` with the nodes of each page until it finds something or the pages end.
    async fn each_page<T>(
        &self,
        ws: &WorkspaceId,
        folder: &NodeId,
        mut look: impl FnMut(Vec<Node>) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut cursor: Option<PageCursor> = None;
        for _ in 0..MAX_PAGES {
            let page = self.list_page(ws, folder, cursor.as_ref()).await?;
            if let Some(found) = look(page.nodes) {
                return Ok(Some(found));
            }
            if page.next.is_none() {
                return Ok(None);
            }
            if page.next == cursor {
                let problem = "the same page cursor twice".to_owned();
                let kind = ErrorKind::Broken { status: 200, request_id: None, problem };
                return Err(Error::new("storage.list", kind));
            }
            cursor = page.next;
        }
        let problem =
            format!("the folder {folder} has more than {MAX_PAGES} pages of {PAGE_SIZE}: split it up");
        Err(Error::argument("storage.list", "folder", problem))
    }
}

#[derive(Deserialize)]
struct Bulk {
    #[serde(default, deserialize_with = "fields::or_default")]
    nodes: Vec<Node>,
    /// In place of `nodes` when one node was asked for.
    #[serde(default)]
    node: Option<Node>,
    #[serde(default, deserialize_with = "fields::or_default")]
    errors: Vec<NodeError>,
}

#[derive(Deserialize)]
struct Listing {
    nodes: Items,
}

#[derive(Deserialize)]
struct Items {
    #[serde(default, deserialize_with = "fields::or_default")]
    items: Vec<Node>,
}

/// A call for one node answers with a plain error: the same thing in other words.
fn single_gone(ids: &[NodeId], error: Error) -> Result<(Vec<Node>, Vec<NodeError>)> {
    match (ids, error.refusal()) {
        ([id], Some(refusal)) if error.class() == crate::ErrorClass::Gone => {
            let code = refusal.code.map(u64::from);
            Ok((Vec::new(), vec![NodeError { id: id.clone(), code, message: refusal.text.clone() }]))
        }
        _ => Err(error),
    }
}

/// Which key carries the next cursor is not documented: it is looked for where the official client's other lists have
/// it, then at the top, then beside the items.
fn next_cursor(reply: &Map<String, Value>) -> std::result::Result<Option<PageCursor>, &'static str> {
    let pagination = reply.get("pagination").and_then(Value::as_object);
    let places = [pagination, Some(reply), reply.get("nodes").and_then(Value::as_object)];
    let cursor = places.iter().flatten().find_map(|place| match place.get("next_cursor")? {
        Value::String(text) if !text.is_empty() => Some(PageCursor(text.clone())),
        Value::Number(number) => Some(PageCursor(number.to_string())),
        _ => None,
    });
    match (pagination.and_then(|pagination| pagination.get("has_more")).and_then(Value::as_bool), cursor) {
        (Some(false), _) => Ok(None),
        (Some(true), None) => Err("has_more is true, but there is no next_cursor"),
        (_, cursor) => Ok(cursor),
    }
}

/// Names: 1 to 255 characters, and nothing that reads as a path.
pub(crate) fn check_name(operation: &'static str, name: &str) -> Result<()> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.chars().count() > 255 {
        "has more than 255 characters"
    } else if matches!(name, "." | "..") || name.contains('/') || name.chars().any(char::is_control) {
        "is a path or has control characters"
    } else {
        return Ok(());
    };
    Err(Error::argument(
        operation,
        "name",
        format!("{name:?} {problem}: give the plain name of a file or folder"),
    ))
}

/// `/workspace/{ws}/storage/…`
pub(crate) fn storage<'a, const N: usize>(ws: &'a WorkspaceId, rest: &[&'a str; N]) -> Vec<&'a str> {
    ["workspace", ws.as_str(), "storage"].into_iter().chain(rest.iter().copied()).collect()
}

#[cfg(test)]
mod tests;
