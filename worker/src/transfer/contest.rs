//! Two results of one name, uploaded at the same moment.
//!
//! A name cannot be locked. Two runs, or a run and a person, may both find a name free; the service then makes the later
//! upload a new version of the earlier one's file. So a run that uploaded to a free name looks at the file's versions
//! before it says that the file is its own. Whoever came first keeps the name. Whoever came later puts the first one's
//! content on top again and takes the name beside it.
//!
//! What stays open: a run whose worker is lost between its upload and this look. Its content stays on top, and what was
//! there before it is the version below.

use std::fs::File;
use std::io::{self, Seek};
use std::sync::Arc;

use fastio::{Client, Download, ErrorClass, NodeId, Version, VersionId, WorkspaceId};
use futures::StreamExt;
use tokio::io::AsyncWriteExt;

use super::Progress;
use super::send::{self, Content, Name, Target};
use super::session::Fingerprint;
use super::upload::UploadError;

/// Whose a file is that was uploaded to a free name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Ours, and so is its content.
    Us,
    /// Ours, but somebody else's content lies on top.
    UsBelow,
    /// Somebody else's; our content lies on top of this version.
    Them(VersionId),
    /// Somebody else's, and our content is not on top any more.
    ThemAgain,
}

/// Looks whose the file is.
pub(super) async fn owner(
    client: &Client,
    workspace: &WorkspaceId,
    node: &NodeId,
    content: &Fingerprint,
) -> Result<Owner, UploadError> {
    let mut versions = client.versions(workspace, node).await?;
    if versions.len() > 1 {
        let current = client.node(workspace, node).await?.version;
        newest_first(&mut versions, current.as_ref());
    }
    Ok(decide(&versions, content))
}

fn decide(newest_first: &[Version], content: &Fingerprint) -> Owner {
    let ours = |version: &Version| content.is_of(version.size, version.hash.as_ref());
    // A service that shows no versions shows no contest.
    let (Some(top), Some(first)) = (newest_first.first(), newest_first.last()) else { return Owner::Us };
    match (ours(first), ours(top)) {
        (true, true) => Owner::Us,
        (true, false) => Owner::UsBelow,
        (false, true) => Owner::Them(first.id.clone()),
        (false, false) => Owner::ThemAgain,
    }
}

/// In which order the service lists versions is not documented, and its dates may only know seconds: where the current
/// version is tells the order of those of one moment.
fn newest_first(versions: &mut [Version], current: Option<&VersionId>) {
    if current.is_some() && versions.last().map(|version| &version.id) == current {
        versions.reverse();
    }
    if versions.iter().all(|version| version.created.is_some()) {
        versions.sort_by_key(|version| std::cmp::Reverse(version.created));
    }
}

/// Makes the content of a version the current one again, by way of `spool`, an empty file.
pub(super) async fn give_back(
    target: &Target<'_>,
    name: &str,
    node: &NodeId,
    version: &VersionId,
    spool: File,
) -> Result<(), UploadError> {
    let Some(content) = fetch(target, node, version, spool).await? else {
        tracing::warn!(name, %version, "what lay below our upload cannot be read any more");
        return Ok(());
    };
    let name = Name { text: name.to_owned(), fresh: false };
    send::send(target, &name, &content, &Progress::default()).await?;
    Ok(())
}

/// `None`: there is no such version any more.
async fn fetch(
    target: &Target<'_>,
    node: &NodeId,
    version: &VersionId,
    spool: File,
) -> Result<Option<Content>, UploadError> {
    let Target { client, workspace, .. } = target;
    let opened = open(client, workspace, node, version).await;
    let mut bytes = match opened {
        Ok(bytes) => bytes,
        Err(error) if error.class() == ErrorClass::Gone => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut file = tokio::fs::File::from_std(spool);
    while let Some(piece) = bytes.next().await {
        file.write_all(&piece?).await?;
    }
    file.flush().await?;
    let mut file = file.into_std().await;
    let read = tokio::task::spawn_blocking(move || {
        file.rewind()?;
        let fingerprint = Fingerprint::of(&mut file)?;
        Ok::<_, io::Error>(Content { file: Arc::new(file), fingerprint })
    });
    Ok(Some(read.await.map_err(io::Error::other)??))
}

async fn open(
    client: &Client,
    workspace: &WorkspaceId,
    node: &NodeId,
    version: &VersionId,
) -> fastio::Result<Download> {
    let token = client.download_token(workspace, node, Some(version)).await?;
    client.read(workspace, node, &token, Some(version), None).await
}

#[cfg(test)]
mod tests;
