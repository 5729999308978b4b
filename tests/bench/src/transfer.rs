//! One large file, up and down again, by the client that the workers use. It is made as it is sent and looked at as it comes:
//! nothing but one chunk is ever in memory, if client and service keep to that.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fastio::{ApiKey, ApiKeySource, Client, MIN_CHUNK, NodeId, UploadStatus, WorkspaceId};
use futures::TryStreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Bytes of a chunk: what workers send where the plan lets them.
const CHUNK: usize = 4 * MIN_CHUNK;

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Transferred {
    bytes: u64,
    upload_seconds: f64,
    download_seconds: f64,
    /// The most memory that this process has had, in bytes.
    peak: u64,
}

/// Sends `bytes` bytes and reads them again.
pub(crate) async fn transfer(
    base_url: &str,
    key: &str,
    workspace: &str,
    bytes: u64,
) -> Result<Transferred, Box<dyn std::error::Error>> {
    // Nothing else of this process has anything to do with TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new(base_url.parse()?, ApiKeySource::Static(ApiKey::new(key)?))?;
    let workspace: WorkspaceId = workspace.parse()?;

    let begun = Instant::now();
    let (node, sent) = upload(&client, &workspace, bytes).await?;
    let upload_seconds = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let token = client.download_token(&workspace, &node, None).await?;
    let mut download = client.read(&workspace, &node, &token, None, None).await?;
    let mut came = Sha256::new();
    while let Some(piece) = download.try_next().await? {
        came.update(&piece);
    }
    let download_seconds = begun.elapsed().as_secs_f64();
    if came.finalize() != sent {
        return Err("what came is not what was sent".into());
    }
    Ok(Transferred { bytes, upload_seconds, download_seconds, peak: peak()? })
}

/// `VmHWM` of proc(5), which is in KiB.
fn peak() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

type Hash = sha2::digest::Output<Sha256>;

async fn upload(
    client: &Client,
    workspace: &WorkspaceId,
    bytes: u64,
) -> Result<(NodeId, Hash), Box<dyn std::error::Error>> {
    let session = client.open_upload(workspace, &NodeId::root(), "large.bin", bytes).await?;
    let mut sent = Sha256::new();
    let mut left = bytes;
    let mut order = 0;
    while left > 0 {
        order += 1;
        let chunk = content(order, usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK));
        sent.update(&chunk);
        left -= chunk.len() as u64;
        client.put_chunk(&session, order, chunk).await?;
    }
    client.complete_upload(&session).await?;
    loop {
        match client.upload_status(&session, Duration::from_secs(10)).await? {
            UploadStatus::Stored(node) => return Ok((node, sent.finalize())),
            UploadStatus::Failed { message } => return Err(message.into()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// No two chunks are the same.
fn content(order: u32, length: usize) -> Bytes {
    let seed = u64::from(order).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = (0_u64..).flat_map(|word| (seed ^ word.wrapping_mul(0xd134_2543_de82_ef95)).to_le_bytes());
    words.take(length).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_have_their_length_and_differ() {
        assert_eq!(content(1, 13).len(), 13);
        assert_eq!(content(1, CHUNK), content(1, CHUNK));
        assert_ne!(content(1, CHUNK), content(2, CHUNK));
    }
}
