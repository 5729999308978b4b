//! The bytes of a result, from the scratch space to Fast.io.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastio::{Client, ErrorClass, MAX_CHUNK, MAX_SMALL_UPLOAD, NodeId, UploadId, UploadStatus, WorkspaceId};

use super::Progress;
use super::session::{Fingerprint, Session};
use super::upload::UploadError;

/// Smallest chunk that we use: what the official client sends.
const CHUNK: u64 = 4 << 20;

/// Most chunks of a session. The smallest plan takes 35 (agent guide v1.41); some room is left.
const MAX_CHUNKS: u64 = 32;

/// How long the service may hold a question about an upload's state. Short enough to notice a cancellation.
const HOLD: Duration = Duration::from_secs(10);

/// Pause between questions, for a service that answers at once.
const PAUSE: Duration = Duration::from_millis(250);

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
pub(super) async fn send(
    target: &Target<'_>,
    name: &str,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<NodeId, UploadError> {
    let size = content.fingerprint.size;
    if size <= MAX_SMALL_UPLOAD as u64 {
        let bytes = content.read(0, size).await?;
        let started = target.client.upload_small(target.workspace, target.folder, name, bytes).await?;
        return match started.node {
            Some(node) => Ok(node),
            None => stored(target.client, &started.id).await,
        };
    }
    let id = target.client.open_upload(target.workspace, target.folder, name, size).await?;
    let session = Session {
        id,
        name: name.to_owned(),
        content: content.fingerprint.clone(),
        chunk: chunk_size(size),
        sent: 0,
    };
    progress.update(|at| *at = Some(session.clone()));
    chunks(target.client, &session, content, progress).await
}

/// Goes on with a session that an earlier attempt opened. `None`: it is of no use any more.
pub(super) async fn resume(
    client: &Client,
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
    match client.upload_status(&session.id, Duration::ZERO).await {
        Ok(UploadStatus::Stored(node)) => return Ok(Some(node)),
        Ok(UploadStatus::InProgress) => {}
        Ok(_) => {
            progress.update(|at| *at = None);
            return Ok(None);
        }
        // How long sessions live is not documented: one that is gone is simply opened anew.
        Err(error) if error.class() == ErrorClass::Gone => {
            progress.update(|at| *at = None);
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    }
    chunks(client, session, content, progress).await.map(Some)
}

/// Sends the chunks that the service does not have, completes the session and waits for the file.
async fn chunks(
    client: &Client,
    session: &Session,
    content: &Content,
    progress: &Progress<Option<Session>>,
) -> Result<NodeId, UploadError> {
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
    let done = match client.complete_upload(&session.id).await {
        Ok(()) => stored(client, &session.id).await,
        // An attempt before this one completed it already, or the service will not: its state tells which.
        Err(error) if matches!(error.class(), ErrorClass::Conflict | ErrorClass::Invalid) => {
            match client.upload_status(&session.id, Duration::ZERO).await? {
                UploadStatus::Stored(node) => Ok(node),
                _ => Err(UploadError::NotStored(error.to_string())),
            }
        }
        Err(error) => return Err(error.into()),
    };
    if let Err(UploadError::NotStored(_)) = done {
        give_up(client, session).await;
        progress.update(|at| *at = None);
    }
    done
}

/// Waits until an upload is a file. Bounded by whoever calls: how long a store takes is the service's business.
async fn stored(client: &Client, upload: &UploadId) -> Result<NodeId, UploadError> {
    loop {
        match client.upload_status(upload, HOLD).await? {
            UploadStatus::Stored(node) => return Ok(node),
            UploadStatus::Failed { message } => return Err(UploadError::NotStored(message)),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

pub(super) async fn give_up(client: &Client, session: &Session) {
    if let Err(error) = client.cancel_upload(&session.id).await {
        tracing::debug!(session = %session.id, %error, "an upload session is left to the service");
    }
}

fn chunk_size(size: u64) -> u64 {
    size.div_ceil(MAX_CHUNKS).clamp(CHUNK, MAX_CHUNK as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_with_the_file_and_stay_few() {
        for (size, chunk) in [
            (5 << 20, CHUNK),
            (128 << 20, CHUNK),
            (1 << 30, 32 << 20),
            (MAX_CHUNK as u64 * MAX_CHUNKS, MAX_CHUNK as u64),
            (50_000_000_000, MAX_CHUNK as u64),
        ] {
            assert_eq!(chunk_size(size), chunk, "{size}");
        }
        assert!((1_000_000_000_u64).div_ceil(chunk_size(1_000_000_000)) <= MAX_CHUNKS);
    }
}
