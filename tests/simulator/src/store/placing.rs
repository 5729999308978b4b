//! How bytes become a file: the same-name rule, new versions, and what stands in the way.

use rusqlite::{Connection, Result};

use super::{
    accounts::Workspace,
    blobs::Blob,
    events::{self, EventName},
    nodes::{self, Kind, Node},
    tree,
    uploads::Session,
    versions,
};
use crate::ids::{NodeId, ProfileId, UploadId, VersionId};

/// Bytes that have arrived, and who brought them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) blob: &'a Blob,
    pub(crate) user: &'a ProfileId,
    pub(crate) upload: &'a UploadId,
}

/// Why bytes cannot become a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    #[error("the folder is gone")]
    FolderGone,
    #[error("the file to update is gone")]
    FileGone,
    #[error("the file is locked by somebody else")]
    Locked,
    /// The text is the service's own.
    #[error("CONFLICT_VERSION_MISMATCH:{0}")]
    VersionMismatch(VersionId),
}

/// Makes the bytes of a session a file, as the session says.
pub(crate) fn place(
    rows: &Connection,
    workspace: &Workspace,
    session: &Session,
    blob: &Blob,
) -> Result<std::result::Result<NodeId, Obstacle>> {
    let arrival = Arrival { blob, user: &session.user, upload: &session.id };
    let Some(target) = &session.target else {
        return add(rows, workspace, &session.folder, &session.name, arrival);
    };
    let Some(node) = nodes::find(rows, &workspace.id, target)?.filter(|node| !node.trashed) else {
        return Ok(Err(Obstacle::FileGone));
    };
    let current = node.content.as_ref().map(|version| &version.id);
    if let (Some(expected), Some(current)) = (&session.if_version, current)
        && expected != current
    {
        return Ok(Err(Obstacle::VersionMismatch(current.clone())));
    }
    replace(rows, workspace, node, arrival)
}

/// Adds a file: in place of a file of that name in its folder (the node id stays and the old bytes
/// become a version), else a new one.
pub(crate) fn add(
    rows: &Connection,
    workspace: &Workspace,
    folder: &str,
    name: &str,
    arrival: Arrival<'_>,
) -> Result<std::result::Result<NodeId, Obstacle>> {
    if !nodes::is_live_folder(rows, &workspace.id, folder)? {
        return Ok(Err(Obstacle::FolderGone));
    }
    let namesake = nodes::named(rows, &workspace.id, folder, name)?;
    if let Some(node) = namesake.filter(|node| node.kind == Kind::File) {
        return replace(rows, workspace, node, arrival);
    }
    // Only a folder or a link can have the name here: the file gets another one.
    let name = nodes::free_name(rows, &workspace.id, folder, name)?;
    let id = tree::insert(rows, &workspace.id, folder, &name, arrival.user, Kind::File)?;
    versions::add(rows, &id, arrival.blob, arrival.user, arrival.upload)?;
    record(rows, workspace, arrival.user, EventName::FileAdded, &id)?;
    Ok(Ok(id))
}

fn replace(
    rows: &Connection,
    workspace: &Workspace,
    node: Node,
    arrival: Arrival<'_>,
) -> Result<std::result::Result<NodeId, Obstacle>> {
    if node.lock.is_some_and(|lock| lock.owner != *arrival.user) {
        return Ok(Err(Obstacle::Locked));
    }
    versions::add(rows, &node.id, arrival.blob, arrival.user, arrival.upload)?;
    record(rows, workspace, arrival.user, EventName::FileUpdated, &node.id)?;
    Ok(Ok(node.id))
}

fn record(
    rows: &Connection,
    workspace: &Workspace,
    user: &ProfileId,
    event: EventName,
    id: &NodeId,
) -> Result<()> {
    match nodes::find(rows, &workspace.id, id)? {
        Some(node) => events::record_node(rows, workspace, user, event, &node),
        None => Ok(()),
    }
}
