//! Listing a folder, or everything.

use serde_json::{Map, Value};

use super::{Node, storage};
use crate::client::Reply;
use crate::envelope::rows::Rows;
use crate::error::Error;
use crate::paging::Pagination;
use crate::{Client, NodeId, PageCursor, Result, WorkspaceId};

/// Nodes per page: 100, 250 and 500 are the only sizes that the service takes.
const PAGE_SIZE: &str = "500";
/// Most pages of a folder that are followed: a million nodes.
const MAX_PAGES: usize = 2_000;

/// One page of a folder or of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodePage {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// Rows of an inventory that could not be read and are not among the nodes: worth a warning. None in a folder, where what
    /// is not listed counts as not there.
    pub skipped: usize,
    /// The next page, if there is one.
    pub next: Option<PageCursor>,
}

impl Client {
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
        let reply = self
            .get("storage.list", &storage(ws, &[folder.as_str(), "list"]))
            .query("sort_by", "name")
            .query("sort_dir", "asc")
            .query("page_size", PAGE_SIZE)
            .maybe_query("cursor", cursor.map(PageCursor::as_str))
            .reply()
            .await?;
        read_nodes(&reply, cursor)
    }

    /// One page of all files of a workspace, whatever folder they are in, with [`Node::path`]:
    /// `GET /workspace/{ws}/storage/inventory/`. The order is the service's; the trash is left out.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # simulated.file("a.txt", "a").await?;
    /// # simulated.file("b.txt", "b").await?;
    /// // Page by page: the cursor may be stored in between, and nothing has to fit into memory.
    /// let (mut paths, mut cursor) = (Vec::new(), None);
    /// loop {
    ///     let page = client.inventory_page(ws, cursor.as_ref()).await?;
    ///     if page.skipped > 0 {
    ///         eprintln!("{} rows cannot be read", page.skipped);
    ///     }
    ///     paths.extend(page.nodes.into_iter().filter_map(|node| node.path));
    ///     cursor = page.next;
    ///     if cursor.is_none() {
    ///         break;
    ///     }
    /// }
    /// paths.sort();
    /// assert_eq!(paths, ["/a.txt", "/b.txt"]);
    ///
    /// // A folder has the same pages, by name, with folders and without paths.
    /// let page = client.list_page(ws, &fastio::NodeId::root(), None).await?;
    /// assert_eq!((page.nodes.len(), page.next), (2, None));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn inventory_page(&self, ws: &WorkspaceId, cursor: Option<&PageCursor>) -> Result<NodePage> {
        let reply = self
            .get("storage.inventory", &storage(ws, &["inventory"]))
            .query("type", "file")
            .query("include", "path")
            .query("page_size", PAGE_SIZE)
            .maybe_query("cursor", cursor.map(PageCursor::as_str))
            .reply()
            .await?;
        let (rows, next) = read_rows(&reply, cursor)?;
        Ok(NodePage { nodes: rows.read, skipped: rows.skipped, next })
    }

    /// The node of this exact name in a folder. Nodes in the trash do not count.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("a.txt", "a").await?;
    /// use fastio::NodeId;
    ///
    /// // A folder is made once, however often this runs.
    /// let root = NodeId::root();
    /// let raw = match client.find_child(ws, &root, "raw").await? {
    ///     Some(node) if node.is_folder() => node,
    ///     Some(node) => return Err(format!("{} is a file", node.name).into()),
    ///     None => client.create_folder(ws, &root, "raw").await?,
    /// };
    ///
    /// client.move_node(ws, node, &raw.id).await?;
    /// client.rename_node(ws, node, "b.txt").await?;
    /// let names: Vec<_> = client.list_folder(ws, &raw.id).await?.into_iter().map(|node| node.name).collect();
    /// assert_eq!(names, ["b.txt"]);
    ///
    /// // Into the trash: the folder has it no more, and the node says so.
    /// client.delete_node(ws, node).await?;
    /// assert_eq!(client.find_child(ws, &raw.id, "b.txt").await?, None);
    /// assert!(client.node(ws, node).await?.deleted);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find_child(&self, ws: &WorkspaceId, parent: &NodeId, name: &str) -> Result<Option<Node>> {
        self.each_page(ws, parent, |nodes| nodes.into_iter().find(|node| node.name == name && !node.deleted))
            .await
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
            cursor = page.next;
        }
        let problem =
            format!("the folder {folder} has more than {MAX_PAGES} pages of {PAGE_SIZE}: split it up");
        Err(Error::argument("storage.list", "folder", problem))
    }
}

/// A page with all of its nodes.
pub(crate) fn read_nodes(reply: &Reply, current: Option<&PageCursor>) -> Result<NodePage> {
    let (rows, next) = read_rows(reply, current)?;
    rows.problem
        .map_or(Ok(NodePage { nodes: rows.read, skipped: 0, next }), |problem| Err(reply.broken(problem)))
}

fn read_rows(reply: &Reply, current: Option<&PageCursor>) -> Result<(Rows<Node>, Option<PageCursor>)> {
    let mut fields = reply.fields()?;
    let next = next_cursor(&fields).map_err(|problem| reply.broken(problem))?;
    if next.is_some() && next.as_ref() == current {
        return Err(reply.broken("the same page cursor twice"));
    }
    let nodes = items(&mut fields).ok_or_else(|| reply.broken("there is no list of nodes"))?;
    let rows = serde_json::from_value(nodes).map_err(|error| reply.broken(error.to_string()))?;
    Ok((rows, next))
}

/// `nodes.items` (captured replies). That the inventory has the same shape is not pinned by any source: a plain list
/// under `nodes` or `items` is taken too.
fn items(reply: &mut Map<String, Value>) -> Option<Value> {
    let list = match reply.remove("nodes") {
        Some(Value::Object(mut nodes)) => nodes.remove("items").unwrap_or_default(),
        Some(list @ Value::Array(_)) => list,
        Some(_) => return None,
        None => reply.remove("items")?,
    };
    match list {
        Value::Null => Some(Value::Array(Vec::new())),
        Value::Array(_) => Some(list),
        _ => None,
    }
}

/// Which key carries the next cursor is not documented: it is looked for where the official client's other lists have
/// it, then at the top, then beside the items.
fn next_cursor(reply: &Map<String, Value>) -> std::result::Result<Option<PageCursor>, &'static str> {
    let places = [reply.get("pagination"), reply.get("nodes")].map(|place| place.and_then(Value::as_object));
    let places = [places[0], Some(reply), places[1]];
    let cursor = places.iter().flatten().find_map(|place| PageCursor::read(place.get("next_cursor")));
    match (Pagination::of(reply).has_more, cursor) {
        (Some(false), _) => Ok(None),
        (Some(true), None) => Err("has_more is true, but there is no next_cursor"),
        (_, cursor) => Ok(cursor),
    }
}

#[cfg(test)]
mod tests;
