//! The source file, from Fast.io to the scratch space.
//!
//! Streamed: no more than one piece of the network's size is in memory. What an earlier attempt left is kept and the
//! rest asked for; a service that sends the whole file instead is as good. Nothing counts as the source before its
//! size and hash are right and it is on the disk.

mod partial;

use std::io;

use fastio::{ByteRange, Client, DownloadStatus};
use fastio_pipeline::run::{ContentHash, SourceFile};
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::{BadId, Progress, Ranges, RemoteFile};
use crate::scratch::RunFolder;
use partial::Partial;

/// How far a download is: the details of its heartbeats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Downloading {
    /// The bytes that are in the scratch space.
    pub ranges: Ranges,
    /// How many there will be.
    pub size: u64,
    /// How often the whole file came and was not the file that was asked for.
    #[serde(default)]
    pub mismatches: u32,
}

/// Why there is no source file (yet).
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Fast.io does not give it.
    #[error(transparent)]
    Fastio(#[from] fastio::Error),
    /// The run names something that Fast.io cannot have.
    #[error(transparent)]
    Id(#[from] BadId),
    /// The scratch space does not take it.
    #[error("scratch space: {0}")]
    Scratch(#[from] io::Error),
    /// All of it came, and it is not the file that the run is about. What came was thrown away.
    #[error("what Fast.io sent is not the file that the run is about: {0}")]
    Mismatch(String),
}

/// Brings the source file of a run into its folder. Does nothing if it is there.
pub async fn download(
    client: &Client,
    source: &SourceFile,
    folder: &RunFolder,
    progress: &Progress<Downloading>,
) -> Result<(), DownloadError> {
    if folder.open_source().is_ok_and(|file| file.metadata().is_ok_and(|file| file.len() == source.size)) {
        progress
            .update(|at| *at = Downloading { ranges: Ranges::prefix(source.size), size: source.size, ..*at });
        return Ok(());
    }
    let mut partial = Partial::open(folder, source.size).await?;
    if !is_pinned(source) {
        // The file may be another one by now, and nothing would tell a mixture of the two.
        partial.restart().await?;
    }
    progress
        .update(|at| *at = Downloading { ranges: Ranges::prefix(partial.len()), size: source.size, ..*at });
    let complete = fetch(client, source, &mut partial, progress).await?;
    match complete.and_then(|()| check(source, &partial)) {
        Ok(()) => Ok(partial.complete(folder).await?),
        Err(problem) => {
            partial.restart().await?;
            Err(DownloadError::Mismatch(problem))
        }
    }
}

/// Asks for what is missing until nothing is. The inner error is about the content, the outer one about getting it.
async fn fetch(
    client: &Client,
    source: &SourceFile,
    partial: &mut Partial,
    progress: &Progress<Downloading>,
) -> Result<Result<(), String>, DownloadError> {
    let Some(missing) = Ranges::prefix(partial.len()).first_missing(source.size) else { return Ok(Ok(())) };
    let remote = RemoteFile::try_from(source)?;
    let version = remote.version.as_ref();
    let token = client.download_token(&remote.workspace, &remote.node, version).await?;
    let range = (missing.start > 0).then(|| ByteRange::from(missing.start));
    let mut bytes = client.read(&remote.workspace, &remote.node, &token, version, range).await?;
    if bytes.status == DownloadStatus::Full && missing.start > 0 {
        partial.restart().await?;
    }
    while let Some(piece) = bytes.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                // What came so far is worth keeping for the next attempt.
                partial.flush().await?;
                return Err(error.into());
            }
        };
        partial.append(&piece).await?;
        if partial.len() > source.size {
            return Ok(Err(format!("more than its {} bytes", source.size)));
        }
        progress.update(|at| at.ranges = Ranges::prefix(partial.len()));
    }
    Ok(Ok(()))
}

fn check(source: &SourceFile, partial: &Partial) -> Result<(), String> {
    if partial.len() != source.size {
        return Err(format!("{} bytes instead of {}", partial.len(), source.size));
    }
    let ours = partial.sha256();
    match source.hash.as_ref().filter(|hash| is_sha256(hash)) {
        Some(hash) if !hash.value.eq_ignore_ascii_case(&ours) => {
            Err(format!("its SHA-256 is {ours} instead of {}", hash.value))
        }
        Some(_) => Ok(()),
        None => {
            tracing::debug!(file = %source.id, "no SHA-256 to check against, only the size");
            Ok(())
        }
    }
}

/// Whether bytes that came at different times are known to be of one content: asked for by its version, or checked by its
/// hash in the end.
fn is_pinned(source: &SourceFile) -> bool {
    source.version.is_some() || source.hash.as_ref().is_some_and(is_sha256)
}

/// The service names it `sha256`; others write it with a hyphen.
fn is_sha256(hash: &ContentHash) -> bool {
    hash.algorithm.replace('-', "").eq_ignore_ascii_case("sha256")
}

#[cfg(test)]
mod tests;
