//! What the file of an event is now, by the Fast.io API.

mod folders;
mod many;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastio::{Client, ErrorClass, HashAlgorithm, Node, NodeId, NodeKind, UserId, WorkspaceId};
use fastio_pipeline::event::{FileId, Workspace};
use fastio_pipeline::results::FolderPath;
use fastio_pipeline::run::{ContentHash, SourceFile};
use jiff::Timestamp;

use self::folders::Folders;
pub use self::many::Looked;

/// What a file id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file, in the trash or not.
    File {
        /// The file as it is now.
        source: Box<SourceFile>,
        /// Who made it, if the service says so.
        creator: Option<UserId>,
        /// When it was changed or else made, if the service says so.
        changed: Option<Timestamp>,
    },
    /// A file that the service's virus scan found something in.
    Infected {
        /// Its name.
        name: String,
        /// The scan's words, if there are any.
        finding: Option<String>,
    },
    /// A folder, a note, a link.
    NotAFile,
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
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

/// A file that cannot be used as the service describes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("file {file} cannot be used: {problem}")]
pub struct Unusable {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}

/// Looks up files of one workspace.
pub struct Resolver {
    client: Client,
    workspace: WorkspaceId,
    folders: Folders,
    /// A file that could be read when another could not.
    readable: Mutex<Option<NodeId>>,
    /// Every user that our key has belonged to since the process started. A key that was replaced may have made results
    /// whose events are still on their way.
    ourselves: Mutex<Ourselves>,
}

/// Who we are.
#[derive(Debug, Default)]
struct Ourselves {
    users: BTreeSet<UserId>,
    /// When the service said so last.
    asked: Option<Instant>,
}

/// How long the service's word about our own key is good for those who are not us: a burst of what others do asks once. It
/// is as long as a key that was replaced may take from one process to the other anyway.
const OURSELVES_TTL: Duration = Duration::from_secs(10);

impl Resolver {
    /// Looks up files of `workspace` with `client`.
    #[must_use]
    pub fn new(client: Client, workspace: WorkspaceId) -> Self {
        Self {
            client,
            workspace,
            folders: Folders::default(),
            readable: Mutex::default(),
            ourselves: Mutex::default(),
        }
    }

    /// What the file is now.
    pub async fn find(&self, file: &FileId) -> Result<Found, ResolveError> {
        // What cannot be an id of the service is no file of it.
        let Ok(id) = file.as_str().parse::<NodeId>() else { return Ok(Found::Unknown) };
        self.find_node(&id).await
    }

    async fn find_node(&self, id: &NodeId) -> Result<Found, ResolveError> {
        match self.client.node(&self.workspace, id).await {
            Ok(node) => self.describe(node).await,
            Err(error) if error.class() == ErrorClass::Gone => Ok(Found::Unknown),
            Err(error) => Err(error.into()),
        }
    }

    /// What a node is.
    pub async fn describe(&self, node: Node) -> Result<Found, ResolveError> {
        if node.kind != NodeKind::File {
            return Ok(Found::NotAFile);
        }
        if node.is_infected() {
            let finding = node.virus.and_then(|virus| virus.reason);
            return Ok(Found::Infected { name: node.name, finding });
        }
        let Some(folder) = self.folders.above(&self.client, &self.workspace, &node).await? else {
            return Ok(Found::Unknown);
        };
        let creator = node.origin.as_ref().and_then(|origin| origin.creator.clone());
        let changed = changed(&node);
        Ok(Found::File { source: Box::new(self.source(node, folder)?), creator, changed })
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
            mimetype: node.mimetype,
            trashed: node.deleted,
        })
    }

    /// Whether our own key made a file of this creator. Without a creator nobody knows, and it counts as ours: a loop
    /// costs more than a file that has to be uploaded under another name.
    pub async fn is_own(&self, creator: Option<&UserId>) -> Result<bool, fastio::Error> {
        let Some(creator) = creator else { return Ok(true) };
        {
            let ourselves = self.ourselves();
            let is_known = ourselves.users.contains(creator);
            if is_known || ourselves.asked.is_some_and(|at| at.elapsed() < OURSELVES_TTL) {
                return Ok(is_known);
            }
        }
        // Whose key it is may have changed since the last time.
        let user = self.client.auth_check().await?;
        let mut ourselves = self.ourselves();
        ourselves.users.insert(user);
        ourselves.asked = Some(Instant::now());
        Ok(ourselves.users.contains(creator))
    }

    fn ourselves(&self) -> MutexGuard<'_, Ourselves> {
        self.ourselves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the file was changed or else made, if the service says so. A copy may keep the time of an older change.
pub(crate) fn changed(node: &Node) -> Option<Timestamp> {
    node.modified.max(node.created)
}

fn unusable(node: &Node, problem: &dyn std::fmt::Display) -> ResolveError {
    ResolveError::Unusable(Unusable { file: node.id.to_string(), problem: problem.to_string() })
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
