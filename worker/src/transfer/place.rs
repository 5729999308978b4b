//! Under which name a result goes into the output folder.
//!
//! A file that is not ours is never touched. There is no way to lock a name, so somebody else may put a file there
//! between the look and the upload, which then becomes a version of that file: [`super::contest`] sees to it.
//!
//! Runs of two versions of a source may end in any order: the run of the version that the source has now writes the
//! result, and one that was overtaken leaves what it finds.

use fastio::{Client, ErrorClass, HashAlgorithm, Node, NodeId, UserId, WorkspaceId};

use super::marker::Marker;
use super::send::Name;
use super::session::Fingerprint;
use super::upload::UploadError;

/// Where a result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is there already: the same source, plan and content.
    Done {
        /// Its name.
        name: String,
        /// The file.
        node: NodeId,
    },
    /// The content is there, but the marker is not: the run ended between the two.
    Unmarked {
        /// Its name.
        name: String,
        /// The file.
        node: NodeId,
    },
    /// The run was overtaken: here is the result of another version of the source, and ours is not the current one.
    Superseded {
        /// Its name.
        name: String,
        /// The file.
        node: NodeId,
        /// Its size in bytes; 0 if the service does not say.
        size: u64,
    },
    /// It has to be uploaded under this name.
    Write {
        /// The name.
        name: Name,
    },
}

/// What a place is chosen for.
pub(super) struct Wanted<'a> {
    pub(super) workspace: &'a WorkspaceId,
    pub(super) folder: &'a NodeId,
    pub(super) source: &'a NodeId,
    pub(super) marker: &'a Marker,
    pub(super) content: &'a Fingerprint,
}

/// The first of `names` that is free or ours.
pub(super) async fn choose(
    client: &Client,
    wanted: &Wanted<'_>,
    names: [String; 2],
) -> Result<Place, UploadError> {
    for name in &names {
        if let Some(place) = look(client, wanted, name).await? {
            return Ok(place);
        }
    }
    let [name, _] = names;
    Err(UploadError::NameTaken(name))
}

/// The place under one name, or `None` if the name is somebody else's.
async fn look(client: &Client, wanted: &Wanted<'_>, name: &str) -> Result<Option<Place>, UploadError> {
    let name = name.to_owned();
    let Some(found) = client.find_child(wanted.workspace, wanted.folder, &name).await? else {
        return Ok(Some(Place::Write { name: Name { text: name, fresh: true } }));
    };
    if !found.is_file() {
        return Ok(None);
    }
    let facts = client.facts(wanted.workspace, &found.id).await?;
    let same_content = wanted.content.is_of(found.size, found.hash.as_ref());
    Ok(match Marker::read(&facts) {
        Some(marker) if marker == *wanted.marker && same_content => {
            Some(Place::Done { name, node: found.id })
        }
        Some(marker) if marker.same_line(wanted.marker) => {
            if marker.same_version(wanted.marker)
                || is_current(client, wanted.workspace, wanted.source, wanted.marker).await?
            {
                Some(Place::Write { name: Name { text: name, fresh: false } })
            } else {
                Some(Place::Superseded { name, size: found.size.unwrap_or_default(), node: found.id })
            }
        }
        None if same_content && made_by_us(client, &found).await? => {
            Some(Place::Unmarked { name, node: found.id })
        }
        Some(_) | None => None,
    })
}

/// Whether the source still has the version that the marker names.
pub(super) async fn is_current(
    client: &Client,
    workspace: &WorkspaceId,
    source: &NodeId,
    marker: &Marker,
) -> Result<bool, UploadError> {
    match client.node(workspace, source).await {
        Ok(source) => Ok(marker.is_of(source.version.as_ref())),
        // No version is the current one: nothing is replaced any more.
        Err(error) if error.class() == ErrorClass::Gone => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Our key made it, and its content is known by hash: together with the name there is no doubt left.
async fn made_by_us(client: &Client, node: &Node) -> Result<bool, UploadError> {
    let hashed = node.hash.as_ref().is_some_and(|hash| hash.algorithm == HashAlgorithm::Sha256);
    let Some(creator) = node.origin.as_ref().and_then(|origin| origin.creator.as_ref()).filter(|_| hashed)
    else {
        return Ok(false);
    };
    let ours: UserId = client.auth_check().await?;
    Ok(*creator == ours)
}
