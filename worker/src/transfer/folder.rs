//! The output folder.

use fastio::{Client, ErrorClass, NodeId, WorkspaceId};
use fastio_pipeline::results::FolderPath;

use super::upload::UploadError;

/// The node of a folder, made with its parents if it does not exist.
pub(super) async fn ensure(
    client: &Client,
    workspace: &WorkspaceId,
    path: &FolderPath,
) -> Result<NodeId, UploadError> {
    let mut folder = NodeId::root();
    for name in &path.0 {
        folder = child(client, workspace, &folder, name).await?;
    }
    Ok(folder)
}

/// The node of a folder, if it exists.
pub(super) async fn find(
    client: &Client,
    workspace: &WorkspaceId,
    path: &FolderPath,
) -> fastio::Result<Option<NodeId>> {
    let mut folder = NodeId::root();
    for name in &path.0 {
        match client.find_child(workspace, &folder, name).await? {
            Some(node) if node.is_folder() => folder = node.id,
            _ => return Ok(None),
        }
    }
    Ok(Some(folder))
}

async fn child(
    client: &Client,
    workspace: &WorkspaceId,
    parent: &NodeId,
    name: &str,
) -> Result<NodeId, UploadError> {
    if let Some(found) = existing(client, workspace, parent, name).await? {
        return Ok(found);
    }
    match client.create_folder(workspace, parent, name).await {
        Ok(made) if made.name == name => Ok(made.id),
        // Two runs made it at the same time. What the service does then is not documented: whether it refuses the
        // second one or gives it another name, the folder of this name is the one to use.
        Ok(made) => match existing(client, workspace, parent, name).await? {
            Some(found) => {
                client.delete_node(workspace, &made.id).await?;
                Ok(found)
            }
            None => Ok(made.id),
        },
        Err(error) if matches!(error.class(), ErrorClass::Conflict | ErrorClass::Invalid) => {
            existing(client, workspace, parent, name).await?.ok_or(UploadError::Fastio(error))
        }
        Err(error) => Err(error.into()),
    }
}

async fn existing(
    client: &Client,
    workspace: &WorkspaceId,
    parent: &NodeId,
    name: &str,
) -> Result<Option<NodeId>, UploadError> {
    match client.find_child(workspace, parent, name).await? {
        Some(node) if node.is_folder() => Ok(Some(node.id)),
        Some(_) => Err(UploadError::FolderBlocked(name.to_owned())),
        None => Ok(None),
    }
}
