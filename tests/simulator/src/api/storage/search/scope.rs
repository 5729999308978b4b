//! `files_scope` and `folders_scope`: what a search by meaning looks at. They change nothing in one by name; what is wrong
//! in them is refused all the same, as by the service.

use rusqlite::Connection;

use crate::{
    envelope::ApiError,
    ids::{NodeId, VersionId},
    params::Params,
    store::{
        accounts::Workspace,
        nodes::{self, Kind, Node},
        versions,
    },
};

/// Pairs in each of the two.
const PAIRS_MAX: usize = 100;
/// How many levels below a folder.
const DEPTH: std::ops::RangeInclusive<u32> = 1..=10;

pub(super) fn check(rows: &Connection, workspace: &Workspace, query: &Params) -> Result<(), ApiError> {
    for (node, version) in pairs(query, "files_scope")? {
        let file = named(rows, workspace, "files_scope", node, Kind::File)?;
        if !version.is_empty() && !has_version(rows, &file, version)? {
            return Err(wrong("files_scope", version, "is not a version of that file"));
        }
    }
    for (node, depth) in pairs(query, "folders_scope")? {
        named(rows, workspace, "folders_scope", node, Kind::Folder)?;
        if !depth.parse().is_ok_and(|depth| DEPTH.contains(&depth)) {
            return Err(wrong("folders_scope", depth, "is not a depth from 1 to 10"));
        }
    }
    Ok(())
}

/// The two sides of `a:b,c:d`.
fn pairs<'a>(query: &'a Params, name: &str) -> Result<Vec<(&'a str, &'a str)>, ApiError> {
    let Some(text) = query.optional(name) else { return Ok(Vec::new()) };
    let pairs: Vec<_> = text
        .split(',')
        .map(|pair| {
            pair.trim().split_once(':').ok_or_else(|| wrong(name, pair, "is not a pair of id and value"))
        })
        .collect::<Result<_, _>>()?;
    if pairs.len() > PAIRS_MAX {
        return Err(ApiError::invalid(name, "must have at most 100 pairs", "string"));
    }
    Ok(pairs)
}

fn named(
    rows: &Connection,
    workspace: &Workspace,
    name: &str,
    id: &str,
    kind: Kind,
) -> Result<Node, ApiError> {
    let id = NodeId::parse(id).map_err(|_| wrong(name, id, "is not an id"))?;
    let node = nodes::find(rows, &workspace.id, &id)?.filter(|node| !node.trashed);
    match node {
        None => Err(wrong(name, id.as_str(), "is not there")),
        Some(node) if node.kind != kind => {
            let message = format!("is a {}, not a {}", node.kind.as_str(), kind.as_str());
            Err(wrong(name, id.as_str(), &message))
        }
        Some(node) => Ok(node),
    }
}

fn has_version(rows: &Connection, file: &Node, version: &str) -> Result<bool, ApiError> {
    let Ok(id) = VersionId::parse(version) else { return Ok(false) };
    Ok(versions::list(rows, &file.id)?.iter().any(|version| version.id == id))
}

/// The entry is named, and the code is that of bad input whatever is wrong with it.
fn wrong(name: &str, entry: &str, message: &str) -> ApiError {
    ApiError::invalid(name, &format!("has an entry that {message}: {entry}"), "string")
}
