//! Reading a file's bytes. Source: official CLI 0.2.13, `download.rs`; agent guide v1.41.
//!
//! A token is asked for with the key and is good for about two hours and one node; the bytes are then read with the
//! token and without the key. No public source says whether the service honours `Range`, so both answers
//! are handled: [`DownloadStatus::Partial`] from the offset, or [`DownloadStatus::Full`] from the start.

use std::fmt;
use std::ops::{Range, RangeFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::client::{Call, Reply};
use crate::error::Error;
use crate::limit::Limiter;
use crate::storage::storage;
use crate::{Client, NodeId, Result, VersionId, WorkspaceId};

const READ: &str = "storage.read";

/// Leave to read one node, for about two hours. Never shown, wiped from memory when dropped.
///
/// Reading with it counts for the key that made it, whatever key its client has by then: a rate limit that one key's
/// downloads run into stops no other key's.
#[derive(Clone)]
pub struct DownloadToken {
    text: SecretString,
    limiter: Arc<Limiter>,
}

impl fmt::Debug for DownloadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DownloadToken([REDACTED])")
    }
}

/// A part of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    start: u64,
    end: Option<u64>,
}

impl ByteRange {
    /// From `start` to the end of the file.
    #[must_use]
    pub fn from(start: u64) -> Self {
        Self { start, end: None }
    }

    /// From `start` up to and without `end`; `None` if that is no byte at all.
    #[must_use]
    pub fn between(start: u64, end: u64) -> Option<Self> {
        (start < end).then_some(Self { start, end: Some(end) })
    }

    /// RFC 9110 section 14.1.2: both ends count.
    fn text(self) -> String {
        match self.end {
            Some(end) => format!("bytes={}-{}", self.start, end.saturating_sub(1)),
            None => format!("bytes={}-", self.start),
        }
    }

    fn header(self) -> Result<HeaderValue> {
        HeaderValue::from_str(&self.text())
            .map_err(|_| Error::argument(READ, "range", "cannot be sent as a header"))
    }
}

impl From<RangeFrom<u64>> for ByteRange {
    fn from(range: RangeFrom<u64>) -> Self {
        Self::from(range.start)
    }
}

impl TryFrom<Range<u64>> for ByteRange {
    type Error = &'static str;

    fn try_from(range: Range<u64>) -> std::result::Result<Self, Self::Error> {
        Self::between(range.start, range.end).ok_or("the range is empty")
    }
}

/// Which bytes a download brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadStatus {
    /// The whole file from its first byte, also when a part was asked for.
    Full,
    /// The part that was asked for.
    Partial {
        /// Offset of the first byte.
        start: u64,
    },
}

/// A download under way: a stream of its bytes. A connection that ends early is an error of the stream.
pub struct Download {
    /// Which bytes come.
    pub status: DownloadStatus,
    /// How many bytes come, if the service tells.
    pub len: Option<u64>,
    /// Size of the whole file, if the service tells.
    pub total: Option<u64>,
    stream: BoxStream<'static, Result<Bytes>>,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, len, total, stream: _ } = self;
        f.debug_struct("Download")
            .field("status", status)
            .field("len", len)
            .field("total", total)
            .finish_non_exhaustive()
    }
}

impl Stream for Download {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}

impl Client {
    /// Asks for leave to read a file (or one version of it): `GET /workspace/{ws}/storage/{node}/requestread/`.
    pub async fn download_token(
        &self,
        ws: &WorkspaceId,
        node: &NodeId,
        version: Option<&VersionId>,
    ) -> Result<DownloadToken> {
        let reply = self
            .get("storage.requestread", &storage(ws, &[node.as_str(), "requestread"]))
            .maybe_query("version_id", version.map(VersionId::as_str))
            .reply()
            .await?;
        read_token(&reply)
    }

    /// Reads a file, or the part of it that is asked for: `GET /workspace/{ws}/storage/{node}/read/`, without the key.
    /// Redirects are followed, a few and never from `https` to `http`.
    ///
    /// A token that is not accepted is [`Error::is_token_refused`]: ask for a new one. Silence of 30 s ends the stream
    /// with an error. Every read costs the organisation credits.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("a.txt", "0123456789").await?;
    /// use fastio::{ByteRange, DownloadStatus};
    /// use futures::TryStreamExt;
    ///
    /// // The version is pinned: a file that is replaced meanwhile must not be mixed up with its successor.
    /// let version = client.node(ws, node).await?.version;
    /// let token = client.download_token(ws, node, version.as_ref()).await?;
    /// let mut file: Vec<u8> = b"0123".to_vec(); // from an attempt that broke off
    ///
    /// let range = ByteRange::from(file.len() as u64);
    /// let mut download = client.read(ws, node, &token, version.as_ref(), Some(range)).await?;
    /// if download.status == DownloadStatus::Full {
    ///     file.clear(); // the service does not know ranges, and starts again
    /// }
    /// while let Some(bytes) = download.try_next().await? {
    ///     file.extend_from_slice(&bytes);
    /// }
    /// assert_eq!(file, b"0123456789");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read(
        &self,
        ws: &WorkspaceId,
        node: &NodeId,
        token: &DownloadToken,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Download> {
        let DownloadToken { text, limiter } = token.clone();
        let call = self.get(READ, &storage(ws, &[node.as_str(), "read"])).token(text, limiter);
        download(call, version, range).await
    }

    /// The same with the key in place of a token: one call less, for a file that is read once. No redirect is followed, so
    /// a service that keeps the bytes elsewhere cannot be read like this.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("a.pdf", "%PDF-1.7 %").await?;
    /// use futures::TryStreamExt;
    ///
    /// // Its first bytes tell what a file is.
    /// let start = client.read_with_key(ws, node, None, Some((0..4).try_into()?)).await?;
    /// assert_eq!(start.total, Some(10));
    /// let parts: Vec<bytes::Bytes> = start.try_collect().await?;
    /// assert_eq!(parts.concat(), b"%PDF");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_with_key(
        &self,
        ws: &WorkspaceId,
        node: &NodeId,
        version: Option<&VersionId>,
        range: Option<ByteRange>,
    ) -> Result<Download> {
        let call = self.get("storage.read_with_key", &storage(ws, &[node.as_str(), "read"]));
        download(call, version, range).await
    }
}

pub(crate) fn read_token(reply: &Reply) -> Result<DownloadToken> {
    #[derive(Deserialize)]
    struct Wire {
        token: SecretString,
    }
    let Wire { token: text } = reply.read(reply.fields()?)?;
    if text.expose_secret().is_empty() {
        return Err(reply.broken("the token is empty"));
    }
    Ok(DownloadToken { text, limiter: reply.limiter() })
}

async fn download(call: Call<'_>, version: Option<&VersionId>, range: Option<ByteRange>) -> Result<Download> {
    let mut call = call
        .maybe_query("version_id", version.map(VersionId::as_str))
        // The bytes of the file, so that lengths and ranges mean what they say.
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .streamed();
    if let Some(range) = range {
        call = call.header(RANGE, range.header()?);
    }
    let reply = call.open().await?;
    if reply.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(reply.broken("the bytes are encoded, though that was ruled out"));
    }
    let len = reply.len();
    let (status, total) = match (reply.status(), range) {
        (206, Some(range)) => {
            partial(range, len, reply.headers()).map_err(|problem| reply.broken(problem))?
        }
        (206, None) => return Err(reply.broken("a part of the file, though all of it was asked for")),
        _ => (DownloadStatus::Full, len),
    };
    Ok(Download { status, len, total, stream: reply.into_bytes().boxed() })
}

/// Checks that a 206 is the part that was asked for. It may end early, at the end of the file.
fn partial(
    asked: ByteRange,
    len: Option<u64>,
    headers: &HeaderMap,
) -> std::result::Result<(DownloadStatus, Option<u64>), String> {
    let text = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((start, end, total)) = content_range(text) else {
        return Err(format!("a part of the file with the Content-Range {text:?}"));
    };
    let fits = start == asked.start
        && asked.end.is_none_or(|asked_end| end <= asked_end)
        && len.is_none_or(|len| len == end - start);
    if fits {
        Ok((DownloadStatus::Partial { start }, total))
    } else {
        Err(format!("asked for {}, the answer is Content-Range {text:?}", asked.text()))
    }
}

/// `bytes 10-19/200` or `bytes 10-19/*` as start, end (not included) and total.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (start, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    (start <= last && total.is_none_or(|total| last < total)).then_some((start, last.checked_add(1)?, total))
}

#[cfg(test)]
mod tests;
