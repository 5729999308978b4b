//! The results of an earlier run of the same file, version and plan: what Temporal has forgotten, Fast.io may know.
//!
//! A few calls, whatever the folder holds: one list for each folder of the path, one of the output folder, and the facts of
//! those files alone that have the name of a result.

use std::collections::{BTreeMap, BTreeSet};

use fastio::{Client, ErrorClass, Node, NodeId, PageCursor, WorkspaceId};
use fastio_pipeline::plan::Step;
use fastio_pipeline::results::{result_name, result_name_beside};
use fastio_pipeline::run::{ResultFile, RunRequest};

use super::marker::Marker;
use super::upload::{UploadError, result_file};
use super::{RemoteFile, folder};

/// The results in the order of the plan, if all of them are there and made of the same version of the same file by the
/// same pipeline with the same plan. A file whose service names no versions has none.
pub async fn find(client: &Client, request: &RunRequest) -> Result<Option<Vec<ResultFile>>, UploadError> {
    if request.source.version.is_none() {
        return Ok(None);
    }
    match look(client, request).await {
        // A folder or a file that somebody removed while we looked.
        Err(UploadError::Fastio(error)) if error.class() == ErrorClass::Gone => Ok(None),
        looked => looked,
    }
}

async fn look(client: &Client, request: &RunRequest) -> Result<Option<Vec<ResultFile>>, UploadError> {
    let source = &request.source;
    let workspace = RemoteFile::try_from(source)?.workspace;
    let path = request.plan.output.resolve(&source.folder, &source.name);
    let Some(folder) = folder::find(client, &workspace, &path).await? else { return Ok(None) };
    let candidates = candidates(client, &workspace, &folder, request).await?;
    let marker = Marker::of(request);
    let mut results = Vec::new();
    for step in request.plan.steps.iter() {
        match made(client, &workspace, &marker, names(request, step), &candidates).await? {
            Some(node) => {
                let size = node.size.unwrap_or_default();
                results.push(result_file(step, node.name.clone(), &node.id, size)?);
            }
            None => return Ok(None),
        }
    }
    Ok(Some(results))
}

fn names(request: &RunRequest, step: &Step) -> [String; 2] {
    let source = &request.source;
    [result_name(&source.name, step), result_name_beside(&source.name, &source.id, step)]
}

/// The files of the folder that have the name of a result.
async fn candidates(
    client: &Client,
    workspace: &WorkspaceId,
    folder: &NodeId,
    request: &RunRequest,
) -> Result<BTreeMap<String, Node>, UploadError> {
    let wanted: BTreeSet<String> = request.plan.steps.iter().flat_map(|step| names(request, step)).collect();
    let mut found = BTreeMap::new();
    let mut cursor: Option<PageCursor> = None;
    loop {
        let page = client.list_page(workspace, folder, cursor.as_ref()).await?;
        let files = page.nodes.into_iter().filter(|node| node.is_file() && !node.deleted);
        found.extend(files.filter(|node| wanted.contains(&node.name)).map(|node| (node.name.clone(), node)));
        if page.next.is_none() || page.next == cursor || found.len() == wanted.len() {
            return Ok(found);
        }
        cursor = page.next;
    }
}

/// The first of the two names whose marker is ours.
async fn made<'a>(
    client: &Client,
    workspace: &WorkspaceId,
    marker: &Marker,
    names: [String; 2],
    candidates: &'a BTreeMap<String, Node>,
) -> Result<Option<&'a Node>, UploadError> {
    for node in names.iter().filter_map(|name| candidates.get(name)) {
        let facts = client.facts(workspace, &node.id).await?;
        if Marker::read(&facts).is_some_and(|found| found.same_result(marker)) {
            return Ok(Some(node));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
