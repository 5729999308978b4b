//! Where a file is: the names of the folders above it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastio::{Client, ErrorClass, Node, NodeId, WorkspaceId};
use fastio_pipeline::results::FolderPath;

use super::{ResolveError, unusable};

/// Most folders above a file.
const MAX_DEPTH: usize = 64;

/// How long the name and place of a folder are remembered. A burst of uploads into one folder asks once.
pub(super) const FOLDER_TTL: Duration = Duration::from_secs(10);

/// Most folders that are remembered.
const MAX_FOLDERS: usize = 4096;

/// The literal id of the folder that deleted files are in.
const TRASH: &str = "trash";

/// The folders that were asked for lately.
#[derive(Default)]
pub(super) struct Folders(pub(super) Mutex<HashMap<NodeId, (Instant, Folder)>>);

#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) parent: Option<NodeId>,
    pub(super) trashed: bool,
}

impl Folders {
    /// The folders above a file, from the top down; `None` if one of them is gone, and the file with it.
    ///
    /// A file in the trash is where it was before, as far as the service still says where that is: also in folders that went
    /// to the trash after it.
    pub(super) async fn above(
        &self,
        client: &Client,
        workspace: &WorkspaceId,
        file: &Node,
    ) -> Result<Option<FolderPath>, ResolveError> {
        if let Some(path) = told(file) {
            return Ok(Some(path));
        }
        let mut names = Vec::new();
        let mut next = place(file);
        while let Some(id) = next.filter(|id| *id != NodeId::root() && id.as_str() != TRASH) {
            if names.len() == MAX_DEPTH {
                let problem = format!("it has more than {MAX_DEPTH} folders above it");
                return Err(unusable(file, &problem));
            }
            let folder = match self.get(client, workspace, &id).await? {
                Some(folder) if file.deleted || !folder.trashed => folder,
                None if file.deleted => break,
                _ => return Ok(None),
            };
            names.push(folder.name);
            next = folder.parent;
        }
        names.reverse();
        Ok(Some(FolderPath(names)))
    }

    async fn get(
        &self,
        client: &Client,
        workspace: &WorkspaceId,
        id: &NodeId,
    ) -> Result<Option<Folder>, fastio::Error> {
        let remembered = {
            let folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            folders.get(id).filter(|(at, _)| at.elapsed() < FOLDER_TTL).map(|(_, folder)| folder.clone())
        };
        if remembered.is_some() {
            return Ok(remembered);
        }
        let node = match client.node(workspace, id).await {
            Ok(node) => node,
            Err(error) if error.class() == ErrorClass::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let folder = Folder { parent: place(&node), trashed: node.deleted, name: node.name };
        if folder.trashed {
            // It may be restored at any moment.
            return Ok(Some(folder));
        }
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= MAX_FOLDERS {
            folders.retain(|_, (at, _)| at.elapsed() < FOLDER_TTL);
            if folders.len() >= MAX_FOLDERS {
                folders.clear();
            }
        }
        folders.insert(id.clone(), (Instant::now(), folder.clone()));
        Ok(Some(folder))
    }
}

/// The folder that a node is in, or was in before it went to the trash.
fn place(node: &Node) -> Option<NodeId> {
    node.deleted_from.clone().filter(|_| node.deleted).or_else(|| node.parent.clone())
}

/// The folders by the path that came with the node. Listings bring one, so that a page of them needs no look at folders.
fn told(file: &Node) -> Option<FolderPath> {
    let folder = file.path.as_deref()?.strip_prefix('/')?.strip_suffix(&file.name)?;
    let Some(folder) = folder.strip_suffix('/') else {
        return folder.is_empty().then(FolderPath::default);
    };
    Some(FolderPath(folder.split('/').map(str::to_owned).collect()))
}
