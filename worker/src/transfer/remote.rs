//! A run's ids as the Fast.io client wants them.

use fastio::{IdError, NodeId, VersionId, WorkspaceId};
use fastio_pipeline::run::SourceFile;

/// A file in a workspace, at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The file.
    pub node: NodeId,
    /// The version, if the service named one.
    pub version: Option<VersionId>,
}

/// An id of the run is none that Fast.io could have given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the run's {what}: {source}")]
pub struct BadId {
    what: &'static str,
    source: IdError,
}

impl TryFrom<&SourceFile> for RemoteFile {
    type Error = BadId;

    fn try_from(file: &SourceFile) -> Result<Self, BadId> {
        let bad = |what| move |source| BadId { what, source };
        let version = file.version.as_ref().map(|version| version.as_str().parse());
        Ok(Self {
            workspace: file.workspace.as_str().parse().map_err(bad("workspace"))?,
            node: file.id.as_str().parse().map_err(bad("file"))?,
            version: version.transpose().map_err(bad("version"))?,
        })
    }
}
