//! The bytes of a result, from the scratch space to Fast.io.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastio::{
    Client, ErrorClass, MAX_CHUNK, MAX_SMALL_UPLOAD, NodeId, UploadId, UploadLimits, UploadStatus,
    WorkspaceId,
};

use tokio::time::Instant;

use super::Progress;
use super::session::{Fingerprint, Session};
use super::upload::UploadError;

/// Smallest chunk that we use: what the official client sends. One chunk is in memory at a time.
const CHUNK: u64 = 4 << 20;

/// Chunks of a session that every plan takes: the smallest has 35 (agent guide v1.41). A file that needs more is worth the
/// question how many there may be.
const FEW_CHUNKS: u64 = 32;

/// How long the service may hold a question about an upload's state. Short enough to notice a cancellation.
const HOLD: Duration = Duration::from_secs(10);

/// Pause between questions, for a service that answers at once.
const PAUSE: Duration = Duration::from_millis(250);

/// How long the service may take to make a file of a session that takes nothing more and was not seen to be completed.
const ASSEMBLY: Duration = Duration::from_mins(10);

/// Code of chunks that do not add up to the session's size (agent guide v1.41).
const WRONG_SIZE: u32 = 10_522;

/// The name that a file gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    /// Nothing had it when we looked.
    pub(super) fresh: bool,
}

/// Where the bytes go.
pub(super) struct Target<'a> {
    pub(super) client: &'a Client,
    pub(super) workspace: &'a WorkspaceId,
    pub(super) folder: &'a NodeId,
}

/// A file and what it is known by.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) file: Arc<File>,
    pub(super) fingerprint: Fingerprint,
}

impl Content {
    async fn read(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        let file = Arc::clone(&self.file);
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; length];
            file.read_exact_at(&mut buffer, offset)?;
            Ok(Bytes::from(buffer))
        });
        read.await.map_err(io::Error::other)?
    }
}

/// Uploads a file in one call or in chunks, whichever its size asks for.
///
/// From the moment that the service knows of the upload, `progress` does too.
pub(super) async fn send(
    target: &Target<'_>,
    name: &Name,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<NodeId, UploadError> {
    let Target { client, workspace, folder } = target;
    let size = content.fingerprint.size;
    let session = |id: UploadId, chunk: u64| Session {
        id,
        name: name.text.clone(),
        content: content.fingerprint.clone(),
        fresh: name.fresh,
        chunk,
        sent: 0,
        complete: false,
        node: None,
    };
    if size <= MAX_SMALL_UPLOAD as u64 {
        let bytes = content.read(0, size).await?;
        let started = client.upload_small(workspace, folder, &name.text, bytes).await?;
        let session = Session { sent: size, complete: true, node: started.node, ..session(started.id, size) };
        progress.update(|at| *at = Some(session.clone()));
        return match session.node {
            Some(node) => Ok(node),
            None => stored(client, &session, progress).await,
        };
    }
    let chunk = chunk_size(size, limits(size, client, workspace).await?.as_ref())?;
    let session = session(client.open_upload(workspace, folder, &name.text, size).await?, chunk);
    progress.update(|at| *at = Some(session.clone()));
    chunks(client, &session, content, progress).await
}

/// Goes on with a session that an earlier attempt opened. `None`: it is of no use any more.
pub(super) async fn resume(
    client: &Client,
    workspace: &WorkspaceId,
    session: &Session,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<Option<NodeId>, UploadError> {
    if session.content != content.fingerprint {
        // It would only lie around: nobody else knows of it.
        give_up(client, session).await;
        progress.update(|at| *at = None);
        return Ok(None);
    }
    let node = match &session.node {
        Some(node) => Some(node.clone()),
        None => match client.upload_status(&session.id, Duration::ZERO).await {
            Ok(UploadStatus::Stored(node)) => Some(node),
            Ok(UploadStatus::InProgress) if session.complete => {
                return stored(client, session, progress).await.map(Some);
            }
            Ok(UploadStatus::InProgress) => {
                return chunks(client, session, content, progress).await.map(Some);
            }
            Ok(_) => None,
            // How long sessions live is not documented: one that is gone is simply opened anew.
            Err(error) if error.class() == ErrorClass::Gone => None,
            Err(error) => return Err(error.into()),
        },
    };
    if let Some(node) = node
        && is_there(client, workspace, &node).await?
    {
        return Ok(Some(keep(session, node, progress)));
    }
    progress.update(|at| *at = None);
    Ok(None)
}

/// Whether somebody has put the file into the trash since it was uploaded.
async fn is_there(client: &Client, workspace: &WorkspaceId, node: &NodeId) -> Result<bool, UploadError> {
    match client.node(workspace, node).await {
        Ok(node) => Ok(!node.deleted),
        Err(error) if error.class() == ErrorClass::Gone => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sends the chunks that the service does not have, completes the session and waits for the file.
async fn chunks(
    client: &Client,
    session: &Session,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<NodeId, UploadError> {
    let refused = match fill(client, session, content, progress).await {
        Ok(()) => client.complete_upload(&session.id).await.err(),
        Err(UploadError::Fastio(error)) => Some(error),
        Err(error) => return Err(error),
    };
    match refused {
        None => {
            let complete = Session { sent: session.content.size, complete: true, ..session.clone() };
            progress.update(|at| *at = Some(complete.clone()));
            stored(client, &complete, progress).await
        }
        Some(error) if matches!(error.class(), ErrorClass::Conflict | ErrorClass::Invalid) => {
            closed(client, session, error, progress).await
        }
        Some(error) => Err(error.into()),
    }
}

async fn fill(
    client: &Client,
    session: &Session,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<(), UploadError> {
    let size = session.content.size;
    let there = client.chunk_map(&session.id).await?;
    let mut sent = 0;
    for (order, offset) in
        (1_u32..).zip((0..size).step_by(usize::try_from(session.chunk).unwrap_or(usize::MAX)))
    {
        let length = session.chunk.min(size - offset);
        if there.get(&order) != Some(&length) {
            client.put_chunk(&session.id, order, content.read(offset, length).await?).await?;
        }
        sent += length;
        progress.update(|at| *at = Some(Session { sent, ..session.clone() }));
    }
    Ok(())
}

/// What becomes of a session that takes nothing more. An attempt before this one may have completed it: then the service
/// is still making a file of it, and to give it up would throw away everything that was sent.
async fn closed(
    client: &Client,
    session: &Session,
    refused: fastio::Error,
    progress: &Progress<Option<Session>>,
) -> Result<NodeId, UploadError> {
    let deadline = Instant::now() + ASSEMBLY;
    loop {
        match client.upload_status(&session.id, HOLD).await? {
            UploadStatus::Stored(node) => return Ok(keep(session, node, progress)),
            UploadStatus::Failed { message } => {
                return Err(not_stored(client, session, message, progress).await);
            }
            _ if refused.class() == ErrorClass::Conflict && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            _ => {
                let error = not_stored(client, session, refused.to_string(), progress).await;
                // Another session would be refused for the same reason, unless it was this one's chunks.
                let each_time = refused.class() == ErrorClass::Invalid && refused.code() != Some(WRONG_SIZE);
                return Err(if each_time { refused.into() } else { error });
            }
        }
    }
}

/// Waits until an upload is a file. Bounded by whoever calls: how long a store takes is the service's business.
async fn stored(
    client: &Client,
    session: &Session,
    progress: &Progress<Option<Session>>,
) -> Result<NodeId, UploadError> {
    loop {
        match client.upload_status(&session.id, HOLD).await? {
            UploadStatus::Stored(node) => return Ok(keep(session, node, progress)),
            UploadStatus::Failed { message } => {
                return Err(not_stored(client, session, message, progress).await);
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// An attempt that ends after this one finds the file by its id, however little the service tells about it.
fn keep(session: &Session, node: NodeId, progress: &Progress<Option<Session>>) -> NodeId {
    progress.update(|at| *at = Some(Session { node: Some(node.clone()), ..session.clone() }));
    node
}

async fn not_stored(
    client: &Client,
    session: &Session,
    why: String,
    progress: &Progress<Option<Session>>,
) -> UploadError {
    give_up(client, session).await;
    progress.update(|at| *at = None);
    UploadError::NotStored(why)
}

pub(super) async fn give_up(client: &Client, session: &Session) {
    if let Err(error) = client.cancel_upload(&session.id).await {
        tracing::debug!(session = %session.id, %error, "an upload session is left to the service");
    }
}

/// What the plan takes, for a file that it matters for.
async fn limits(
    size: u64,
    client: &Client,
    workspace: &WorkspaceId,
) -> Result<Option<UploadLimits>, fastio::Error> {
    if size <= CHUNK * FEW_CHUNKS {
        return Ok(None);
    }
    match client.upload_limits(workspace).await {
        Ok(limits) => Ok(Some(limits)),
        // A service that does not tell.
        Err(error) if error.is_unknown_route() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Bytes of each chunk of a file: as few as there may be.
fn chunk_size(size: u64, limits: Option<&UploadLimits>) -> Result<u64, UploadError> {
    let largest = limits.and_then(|limits| limits.chunk_size).unwrap_or(u64::MAX).min(MAX_CHUNK as u64);
    let most = limits.and_then(|limits| limits.chunks).unwrap_or(FEW_CHUNKS).max(1);
    let bound = limits.and_then(|limits| limits.file_size).unwrap_or(u64::MAX);
    let bound = bound.min(largest.saturating_mul(most));
    if size > bound {
        return Err(UploadError::TooLarge { size, bound });
    }
    Ok(size.div_ceil(most).max(CHUNK.min(largest)))
}

#[cfg(test)]
mod tests;
