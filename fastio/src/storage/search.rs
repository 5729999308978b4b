//! Finding files by their names (and, where the service indexes it, their content).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{NodeKind, storage};
use crate::client::Reply;
use crate::envelope::fields;
use crate::error::Error;
use crate::paging::Pagination;
use crate::{Client, NodeId, Result, WorkspaceId};

const OPERATION: &str = "storage.search";

/// Most nodes that one page of a search brings.
pub const MAX_FOUND: u32 = 500;

/// What a search tells about a node. Ask [`Client::nodes`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundNode {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// The folder that it is in.
    pub parent: Option<NodeId>,
    /// Size of its content in bytes.
    pub size: Option<u64>,
    /// Its media type.
    pub mimetype: Option<String>,
    /// When it was changed.
    pub modified: Option<Timestamp>,
}

/// One page of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundPage {
    /// What was found, by id. The service's order (by relevance) is not kept: it sends a map.
    pub found: BTreeMap<NodeId, FoundNode>,
    /// There is a next page.
    pub has_more: bool,
}

impl Client {
    /// Finds nodes by text: `GET /workspace/{ws}/storage/search/`, `limit` (1 to [`MAX_FOUND`]) of them after the first
    /// `offset`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("invoice-7.txt", "a").await?;
    /// let page = client.search_files(ws, "invoice", 100, 0).await?;
    /// let (id, hit) = page.found.first_key_value().ok_or("nothing has that name")?;
    /// assert_eq!((id, hit.name.as_str()), (node, "invoice-7.txt"));
    /// assert!(!page.has_more); // else the next page is behind the first 100
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search_files(
        &self,
        ws: &WorkspaceId,
        text: &str,
        limit: u32,
        offset: u64,
    ) -> Result<FoundPage> {
        if text.trim().is_empty() {
            return Err(Error::argument(OPERATION, "text", "is empty: give a part of a name"));
        }
        if !(1..=MAX_FOUND).contains(&limit) {
            return Err(Error::argument(OPERATION, "limit", format!("is {limit}: give 1 to {MAX_FOUND}")));
        }
        let reply = self
            .get(OPERATION, &storage(ws, &["search"]))
            .query("search", text)
            .query("limit", &limit.to_string())
            .query("offset", &offset.to_string())
            .reply()
            .await?;
        read_found(&reply, limit)
    }
}

pub(crate) fn read_found(reply: &Reply, limit: u32) -> Result<FoundPage> {
    let fields = reply.fields()?;
    let found = found(&fields).map_err(|problem| reply.broken(problem))?;
    let has_more = Pagination::of(&fields).more(found.len(), limit as usize);
    Ok(FoundPage { found, has_more })
}

/// `files` as a map from id to node (documented), as a list, or `results` as a list (the AI page of the documentation).
/// Nothing found may come as an empty list.
fn found(reply: &Map<String, Value>) -> std::result::Result<BTreeMap<NodeId, FoundNode>, String> {
    match reply.get("files").or_else(|| reply.get("results")) {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map.iter().map(|(id, node)| entry(Some(id), node)).collect(),
        Some(Value::Array(list)) => list.iter().map(|node| entry(own_id(node), node)).collect(),
        Some(_) => Err("\"files\" is neither a map nor a list".to_owned()),
    }
}

fn own_id(node: &Value) -> Option<&str> {
    ["node_id", "id"].iter().find_map(|key| node.get(key))?.as_str()
}

fn entry(id: Option<&str>, node: &Value) -> std::result::Result<(NodeId, FoundNode), String> {
    let id = id.ok_or("a node was found that has no id")?.parse().map_err(|error| format!("{error}"))?;
    let wire = Wire::deserialize(node).map_err(|error| error.to_string())?;
    Ok((id, wire.into()))
}

/// A found node as replies carry it.
#[derive(Deserialize)]
struct Wire {
    #[serde(deserialize_with = "fields::text")]
    name: String,
    #[serde(default, rename = "type", deserialize_with = "fields::opt_text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "fields::lenient_id")]
    parent_id: Option<NodeId>,
    #[serde(default, deserialize_with = "fields::lenient_id")]
    parent: Option<NodeId>,
    #[serde(default, deserialize_with = "fields::opt_u64")]
    size: Option<u64>,
    #[serde(default, deserialize_with = "fields::opt_text")]
    mimetype: Option<String>,
    #[serde(default, deserialize_with = "fields::opt_time")]
    modified: Option<Timestamp>,
}

impl From<Wire> for FoundNode {
    fn from(wire: Wire) -> Self {
        Self {
            name: wire.name,
            kind: wire.kind.as_deref().map_or(NodeKind::Other, NodeKind::from),
            parent: wire.parent_id.or(wire.parent),
            size: wire.size,
            mimetype: wire.mimetype,
            modified: wire.modified,
        }
    }
}
