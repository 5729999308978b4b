//! Bringing a file into a workspace. Source: official CLI 0.2.13 and newer, `upload.rs` and `upload_integrity.rs`; agent
//! guides v1.29 to v1.41.
//!
//! Small files go in one call ([`Client::upload_small`]). Larger ones open a session, send chunks numbered from 1 (any
//! order, at most three at a time), complete it and wait for the node. A file of the same name in the same folder is
//! replaced in place: same node, new version. How large files and chunks may be, and how many, depends on the plan, too:
//! [`Client::upload_limits`].

mod limits;
mod session;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;

pub use limits::UploadLimits;
pub use session::UploadStatus;
pub(crate) use session::{read_chunks, read_status};

use crate::envelope::fields;
use crate::error::Error;
use crate::storage::check_name;
use crate::{Client, NodeId, Result, UploadId, WorkspaceId};

/// Largest file that goes in one call, in bytes.
pub const MAX_SMALL_UPLOAD: usize = 4 * 1024 * 1024;
/// Smallest chunk, in bytes; only the last one of a session may be smaller.
pub const MIN_CHUNK: usize = 1024 * 1024;
/// Largest chunk, in bytes.
pub const MAX_CHUNK: usize = 100_000_000;

/// Longest wait that the service takes for [`Client::upload_status`].
const MAX_WAIT: Duration = Duration::from_secs(590);
/// Slowest line that an upload still gets through on, in bytes per second: bodies get time by their size.
const SLOWEST: usize = 128 * 1024;

/// An upload that the service has taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UploadStarted {
    /// The session.
    pub id: UploadId,
    /// The node, when the service tells at once; usually it has to be asked for with [`Client::upload_status`].
    #[serde(default, rename = "new_file_id", deserialize_with = "fields::opt_id")]
    pub node: Option<NodeId>,
}

impl Client {
    /// Uploads a file of at most [`MAX_SMALL_UPLOAD`] bytes in one call: `POST /upload/` with the bytes.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// use std::time::Duration;
    ///
    /// use fastio::{NodeId, UploadStatus};
    ///
    /// let started = client.upload_small(ws, &NodeId::root(), "a.txt", "a text".into()).await?;
    /// let node = loop {
    ///     match client.upload_status(&started.id, Duration::from_secs(10)).await? {
    ///         UploadStatus::Stored(node) => break node,
    ///         UploadStatus::InProgress => {}
    ///         failed => return Err(format!("{failed:?}: start again").into()),
    ///     }
    /// };
    /// assert_eq!(client.node(ws, &node).await?.size, Some(6));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_small(
        &self,
        ws: &WorkspaceId,
        folder: &NodeId,
        name: &str,
        content: Bytes,
    ) -> Result<UploadStarted> {
        const OPERATION: &str = "upload.small";
        check_name(OPERATION, name)?;
        if content.len() > MAX_SMALL_UPLOAD {
            let problem = format!(
                "{} bytes, at most {MAX_SMALL_UPLOAD} go in one call: open an upload and send chunks",
                content.len()
            );
            return Err(Error::argument(OPERATION, "content", problem));
        }
        let crc = checksum(&content);
        let time = time_for(content.len());
        let mut form = Form::new();
        for (field, value) in target(ws, folder, name, content.len() as u64) {
            form = form.text(field, value);
        }
        form = form.text("hash_algo", "crc32c").text("hash", crc).part("chunk", part(content, name));
        self.post(OPERATION, &["upload"]).multipart(form).extra_time(time).send().await
    }

    /// Opens a session for a file of `size` bytes: `POST /upload/`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// use std::time::Duration;
    ///
    /// use bytes::Bytes;
    /// use fastio::{MIN_CHUNK, NodeId, UploadStatus};
    ///
    /// let content = Bytes::from(vec![7; 5 * MIN_CHUNK / 2]);
    /// let size = content.len() as u64;
    /// let session = client.open_upload(ws, &NodeId::root(), "film.bin", size).await?;
    /// client.put_chunk(&session, 1, content.slice(..MIN_CHUNK)).await?;
    ///
    /// // After a crash, the map tells which chunks are there.
    /// let there = client.chunk_map(&session).await?;
    /// for (order, start) in (1..).zip((0..content.len()).step_by(MIN_CHUNK)) {
    ///     if !there.contains_key(&order) {
    ///         let end = content.len().min(start + MIN_CHUNK);
    ///         client.put_chunk(&session, order, content.slice(start..end)).await?;
    ///     }
    /// }
    /// client.complete_upload(&session).await?;
    /// let node = loop {
    ///     match client.upload_status(&session, Duration::from_secs(10)).await? {
    ///         UploadStatus::Stored(node) => break node,
    ///         UploadStatus::InProgress => {}
    ///         failed => return Err(format!("{failed:?}: open a new session").into()),
    ///     }
    /// };
    /// assert_eq!(client.node(ws, &node).await?.size, Some(size));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open_upload(
        &self,
        ws: &WorkspaceId,
        folder: &NodeId,
        name: &str,
        size: u64,
    ) -> Result<UploadId> {
        const OPERATION: &str = "upload.open";
        check_name(OPERATION, name)?;
        let form = target(ws, folder, name, size).into();
        let reply: UploadStarted = self.post(OPERATION, &["upload"]).form(form).send().await?;
        Ok(reply.id)
    }

    /// Sends one chunk with its CRC-32C: `POST /upload/{id}/chunk/`. `order` counts from 1. The same order may be sent
    /// again after a failure.
    pub async fn put_chunk(&self, upload: &UploadId, order: u32, content: Bytes) -> Result<()> {
        self.chunk(upload, order, content, None).await
    }

    /// Sends the last chunk of a session together with the CRC-32C of the whole file, which the service then compares with
    /// what it has put together (official CLI of 2026-09 and newer; older services do not look at it). The same value has
    /// to come with each repetition.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// use std::time::Duration;
    ///
    /// use bytes::Bytes;
    /// use fastio::{MIN_CHUNK, NodeId, UploadStatus};
    ///
    /// let mut chunks = vec![Bytes::from(vec![1; MIN_CHUNK]), Bytes::from(vec![2; MIN_CHUNK]), "the end".into()];
    /// let size = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    /// let session = client.open_upload(ws, &NodeId::root(), "film.bin", size).await?;
    ///
    /// // The checksum of the file grows with its chunks.
    /// let (last, mut order, mut crc) = (chunks.pop().ok_or("an empty file")?, 0, 0);
    /// for chunk in chunks {
    ///     order += 1;
    ///     crc = crc32c::crc32c_append(crc, &chunk);
    ///     client.put_chunk(&session, order, chunk).await?;
    /// }
    /// crc = crc32c::crc32c_append(crc, &last);
    /// client.put_last_chunk(&session, order + 1, last, crc).await?;
    /// client.complete_upload(&session).await?;
    /// let node = loop {
    ///     match client.upload_status(&session, Duration::from_secs(10)).await? {
    ///         UploadStatus::Stored(node) => break node,
    ///         UploadStatus::InProgress => {}
    ///         failed => return Err(format!("{failed:?}: open a new session").into()),
    ///     }
    /// };
    /// // The session is tidied away; the file stays.
    /// client.cancel_upload(&session).await?;
    /// assert_eq!(client.node(ws, &node).await?.size, Some(size));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_last_chunk(
        &self,
        upload: &UploadId,
        order: u32,
        content: Bytes,
        file_crc32c: u32,
    ) -> Result<()> {
        self.chunk(upload, order, content, Some(file_crc32c)).await
    }

    async fn chunk(
        &self,
        upload: &UploadId,
        order: u32,
        content: Bytes,
        file_crc32c: Option<u32>,
    ) -> Result<()> {
        const OPERATION: &str = "upload.chunk";
        if order == 0 {
            return Err(Error::argument(OPERATION, "order", "is 0: chunks are numbered from 1"));
        }
        if content.is_empty() || content.len() > MAX_CHUNK {
            let problem = format!("{} bytes: a chunk has 1 to {MAX_CHUNK}", content.len());
            return Err(Error::argument(OPERATION, "content", problem));
        }
        self.post(OPERATION, &["upload", upload.as_str(), "chunk"])
            .query("order", &order.to_string())
            .query("size", &content.len().to_string())
            .query("hash_algo", "crc32c")
            .query("hash", &checksum(&content))
            .maybe_query("file_crc32c", file_crc32c.map(digits).as_deref())
            .extra_time(time_for(content.len()))
            .multipart(Form::new().part("chunk", part(content, "chunk.bin")))
            .done()
            .await
    }

    /// The chunks that the service has, with their sizes in bytes: `GET /upload/{id}/chunk/`. A session that is gone
    /// (class [`Gone`](crate::ErrorClass::Gone)) has to be started anew.
    pub async fn chunk_map(&self, upload: &UploadId) -> Result<BTreeMap<u32, u64>> {
        read_chunks(&self.get("upload.chunks", &["upload", upload.as_str(), "chunk"]).reply().await?)
    }

    /// Tells that every chunk is there: `POST /upload/{id}/complete/`. Chunks that do not add up to the size of the
    /// session are refused with code 10522; such a session must be cancelled.
    pub async fn complete_upload(&self, upload: &UploadId) -> Result<()> {
        let path = ["upload", upload.as_str(), "complete"];
        self.post("upload.complete", &path).form(Vec::new()).done().await
    }

    /// How far an upload is: `GET /upload/{id}/details/`. With `wait` (whole seconds, at most 590) the service holds the
    /// answer until something changes.
    pub async fn upload_status(&self, upload: &UploadId, wait: Duration) -> Result<UploadStatus> {
        let wait = wait.min(MAX_WAIT);
        let seconds = wait.as_secs();
        let held = (seconds > 0).then(|| seconds.to_string());
        let reply = self
            .get("upload.status", &["upload", upload.as_str(), "details"])
            .maybe_query("wait", held.as_deref())
            .extra_time(wait)
            .reply()
            .await?;
        read_status(&reply)
    }

    /// Gives a session up, or tidies it away after success (the file stays): `DELETE /upload/{id}/`.
    pub async fn cancel_upload(&self, upload: &UploadId) -> Result<()> {
        self.delete("upload.cancel", &["upload", upload.as_str()]).done().await
    }
}

/// What every new upload names: what it is and where it goes.
fn target(ws: &WorkspaceId, folder: &NodeId, name: &str, size: u64) -> [(&'static str, String); 6] {
    [
        ("name", name.to_owned()),
        ("size", size.to_string()),
        ("action", "create".to_owned()),
        ("instance_id", ws.to_string()),
        ("folder_id", folder.to_string()),
        ("profile_type", "workspace".to_owned()),
    ]
}

fn part(content: Bytes, file_name: &str) -> Part {
    let len = content.len() as u64;
    Part::stream_with_length(content, len).file_name(file_name.to_owned())
}

/// CRC-32C (Castagnoli) as 8 lower-case hexadecimal digits.
fn checksum(content: &[u8]) -> String {
    digits(crc32c::crc32c(content))
}

fn digits(crc32c: u32) -> String {
    format!("{crc32c:08x}")
}

fn time_for(len: usize) -> Duration {
    Duration::from_secs((len / SLOWEST) as u64)
}

#[cfg(test)]
mod tests;
