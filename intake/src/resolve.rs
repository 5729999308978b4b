//! What the file of an event is now, by the Fast.io API.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastio::{Client, ErrorClass, HashAlgorithm, Node, NodeId, NodeKind, UserId, WorkspaceId};
use fastio_pipeline::event::{FileId, Workspace};
use fastio_pipeline::results::FolderPath;
use fastio_pipeline::run::{ContentHash, SourceFile};

/// Most folders above a file.
const MAX_DEPTH: usize = 64;

/// How long the name and place of a folder are remembered. A burst of uploads into one folder asks once.
const FOLDER_TTL: Duration = Duration::from_secs(10);

/// Most folders that are remembered.
const MAX_FOLDERS: usize = 4096;

/// What a file id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file.
    File {
        /// The file as it is now.
        source: SourceFile,
        /// Who made it, if the service says so.
        creator: Option<UserId>,
    },
    /// A folder, a note, a link.
    NotAFile,
    /// In the trash.
    Trashed,
    /// The service knows no such file: not yet, or not any more.
    Unknown,
}

/// A lookup that failed.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A call failed.
    #[error(transparent)]
    Fastio(#[from] fastio::Error),
    /// The service answered with something that is no file.
    #[error("Fast.io describes file {file} in an unusable way: {problem}")]
    Unusable {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// Looks up files of one workspace.
pub struct Resolver {
    client: Client,
    workspace: WorkspaceId,
    folders: Mutex<HashMap<NodeId, (Instant, Folder)>>,
    /// Every user that our key has belonged to since the process started. A key that was replaced may have made results
    /// whose events are still on their way.
    ourselves: Mutex<BTreeSet<UserId>>,
}

#[derive(Debug, Clone)]
struct Folder {
    name: String,
    parent: Option<NodeId>,
}

impl Resolver {
    /// Looks up files of `workspace` with `client`.
    #[must_use]
    pub fn new(client: Client, workspace: WorkspaceId) -> Self {
        Self { client, workspace, folders: Mutex::default(), ourselves: Mutex::default() }
    }

    /// What the file is now.
    pub async fn find(&self, file: &FileId) -> Result<Found, ResolveError> {
        // What cannot be an id of the service is no file of it.
        let Ok(id) = file.as_str().parse::<NodeId>() else { return Ok(Found::Unknown) };
        let node = match self.client.node(&self.workspace, &id).await {
            Ok(node) => node,
            Err(error) if error.class() == ErrorClass::Gone => return Ok(Found::Unknown),
            Err(error) => return Err(error.into()),
        };
        if node.deleted {
            return Ok(Found::Trashed);
        }
        if node.kind != NodeKind::File {
            return Ok(Found::NotAFile);
        }
        match self.folder(&node).await? {
            Some(folder) => {
                let creator = node.origin.as_ref().and_then(|origin| origin.creator.clone());
                Ok(Found::File { source: self.source(node, folder)?, creator })
            }
            None => Ok(Found::Unknown),
        }
    }

    /// The folders above a file, from the top down; `None` if one of them is gone, and the file with it.
    async fn folder(&self, file: &Node) -> Result<Option<FolderPath>, ResolveError> {
        let mut names = Vec::new();
        let mut next = file.parent.clone();
        while let Some(id) = next.filter(|id| *id != NodeId::root()) {
            if names.len() == MAX_DEPTH {
                let problem = format!("it has more than {MAX_DEPTH} folders above it");
                return Err(unusable(file, &problem));
            }
            let Some(folder) = self.folder_above(&id).await? else { return Ok(None) };
            names.push(folder.name);
            next = folder.parent;
        }
        names.reverse();
        Ok(Some(FolderPath(names)))
    }

    async fn folder_above(&self, id: &NodeId) -> Result<Option<Folder>, ResolveError> {
        let remembered = {
            let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            folders.get(id).filter(|(at, _)| at.elapsed() < FOLDER_TTL).map(|(_, folder)| folder.clone())
        };
        if remembered.is_some() {
            return Ok(remembered);
        }
        let node = match self.client.node(&self.workspace, id).await {
            Ok(node) if node.deleted => return Ok(None),
            Ok(node) => node,
            Err(error) if error.class() == ErrorClass::Gone => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let folder = Folder { name: node.name, parent: node.parent };
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= MAX_FOLDERS {
            folders.retain(|_, (at, _)| at.elapsed() < FOLDER_TTL);
            if folders.len() >= MAX_FOLDERS {
                folders.clear();
            }
        }
        folders.insert(id.clone(), (Instant::now(), folder.clone()));
        Ok(Some(folder))
    }

    fn source(&self, node: Node, folder: FolderPath) -> Result<SourceFile, ResolveError> {
        let workspace = self.workspace.as_str().parse::<Workspace>();
        let id = node.id.as_str().parse::<FileId>();
        let version = node.version.as_ref().map(|version| version.as_str().parse()).transpose();
        let size = node.size.ok_or_else(|| unusable(&node, &"it has no size"))?;
        Ok(SourceFile {
            workspace: workspace.map_err(|error| unusable(&node, &error))?,
            id: id.map_err(|error| unusable(&node, &error))?,
            version: version.map_err(|error| unusable(&node, &error))?,
            name: node.name,
            folder,
            size,
            hash: node
                .hash
                .map(|hash| ContentHash { algorithm: algorithm(hash.algorithm), value: hash.value }),
        })
    }

    /// Whether our own key made a file of this creator. Without a creator nobody knows, and it counts as ours: a loop
    /// costs more than a file that has to be uploaded under another name.
    pub async fn is_own(&self, creator: Option<&UserId>) -> Result<bool, fastio::Error> {
        let Some(creator) = creator else { return Ok(true) };
        let known = |creator: &UserId| {
            self.ourselves.lock().unwrap_or_else(PoisonError::into_inner).contains(creator)
        };
        if known(creator) {
            return Ok(true);
        }
        // Whose key it is may have changed since the last time.
        let ourselves = self.client.auth_check().await?;
        self.ourselves.lock().unwrap_or_else(PoisonError::into_inner).insert(ourselves);
        Ok(known(creator))
    }
}

fn unusable(node: &Node, problem: &dyn std::fmt::Display) -> ResolveError {
    ResolveError::Unusable { file: node.id.to_string(), problem: problem.to_string() }
}

/// As the domain names hash algorithms.
fn algorithm(algorithm: HashAlgorithm) -> String {
    match algorithm {
        HashAlgorithm::Md5 => "md5".to_owned(),
        HashAlgorithm::Sha1 => "sha1".to_owned(),
        HashAlgorithm::Sha256 => "sha256".to_owned(),
        HashAlgorithm::Sha384 => "sha384".to_owned(),
        HashAlgorithm::Crc32c => "crc32c".to_owned(),
        HashAlgorithm::Other(name) => name,
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
