//! Files and folders of a workspace. Source: official CLI 0.2.13, `storage.rs`; agent guide v1.41; captured replies of
//! May 2026.

mod change;
mod list;
mod node;
mod search;
mod versions;

use serde::Deserialize;

pub use list::NodePage;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use list::read_nodes;
pub use node::{ContentHash, HashAlgorithm, Node, NodeKind, Origin, Virus, VirusStatus};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use search::read_found;
pub use search::{FoundNode, FoundPage, MAX_FOUND};
pub use versions::Version;

use crate::client::Reply;
use crate::envelope::fields;
use crate::error::Error;
use crate::{Client, NodeId, Result, WorkspaceId};

/// Most nodes that [`Client::nodes`] asks for at once.
pub const MAX_BULK_NODES: usize = 25;

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
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("a.txt", "a").await?;
    /// // Rows of the change feed have ids and no names; of these, one is gone by now.
    /// let changed = [node.clone(), "2gone-zzzzz-zzzzz-zzzzz-zzzzz-zzzz".parse()?];
    /// let (nodes, errors) = client.nodes(ws, &changed).await?;
    /// assert_eq!(nodes[0].name, "a.txt");
    /// for error in errors {
    ///     if !error.is_gone() {
    ///         return Err(format!("{} cannot be read: {:?}", error.id, error.message).into());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
        read_bulk(&self.get(OPERATION, &storage(ws, &[&list, "details"])).reply().await?, ids)
    }
}

pub(crate) fn read_bulk(reply: &Reply, ids: &[NodeId]) -> Result<(Vec<Node>, Vec<NodeError>)> {
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
