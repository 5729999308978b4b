//! What the plan of a workspace's organisation lets an upload be.

use serde::Deserialize;

use crate::envelope::fields;
use crate::{Client, Result, WorkspaceId};

/// The bounds of uploads into a workspace. What the service does not tell is absent, which does not mean that there is no
/// bound.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UploadLimits {
    /// Largest chunk, in bytes.
    #[serde(default, deserialize_with = "fields::opt_u64")]
    pub chunk_size: Option<u64>,
    /// Largest file, in bytes.
    #[serde(default, rename = "size", deserialize_with = "fields::opt_u64")]
    pub file_size: Option<u64>,
    /// Most chunks of one session.
    #[serde(default, deserialize_with = "fields::opt_u64")]
    pub chunks: Option<u64>,
    /// Most sessions that may be open at the same time.
    #[serde(default, deserialize_with = "fields::opt_u64")]
    pub sessions: Option<u64>,
    /// Most bytes of the files of all open sessions together.
    #[serde(default, rename = "sessions_size_max", deserialize_with = "fields::opt_u64")]
    pub sessions_size: Option<u64>,
}

impl Client {
    /// What a new file in a workspace may be: `GET /upload/limits/`. The numbers are the plan's: the guides name 35 chunks of
    /// a file of 1 GB for the smallest, and 550 of 50 GB for the largest.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// let size: u64 = 40_000_000_000;
    ///
    /// let limits = client.upload_limits(ws).await?;
    /// if limits.file_size.is_some_and(|largest| size > largest) {
    ///     return Err("the plan does not take a file of that size".into());
    /// }
    /// let smallest_chunk = limits.chunks.map(|most| size.div_ceil(most.max(1)));
    /// assert!(smallest_chunk <= limits.chunk_size);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_limits(&self, ws: &WorkspaceId) -> Result<UploadLimits> {
        self.get("upload.limits", &["upload", "limits"])
            .query("action", "create")
            .query("instance_id", ws.as_str())
            .send()
            .await
    }
}
