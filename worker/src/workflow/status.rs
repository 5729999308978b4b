//! What the query `status` answers.

use fastio_pipeline::run::ResultFile;
use serde::{Deserialize, Serialize};

/// How far a run is. The bytes of a transfer under way are in the heartbeat of its activity, which Temporal's UI and
/// `temporal workflow describe` show as pending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// What is being done.
    pub phase: Phase,
    /// The host that it is done on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// How many hosts were claimed so far: more than one if hosts were lost.
    pub hosts: u32,
    /// Size of the source file in bytes.
    pub source_bytes: u64,
    /// Bytes of the source file that are known to be on the host.
    pub downloaded_bytes: u64,
    /// Names of the steps under way.
    pub steps: Vec<String>,
    /// What is in the output folder.
    pub results: Vec<ResultFile>,
}

/// Part of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Looking for results that an earlier run may have made.
    Looking,
    /// Waiting for a host with room.
    #[default]
    Claiming,
    /// The source file is on its way to the host.
    Downloading,
    /// Steps are running.
    Processing,
    /// Results are on their way to Fast.io.
    Uploading,
    /// The comment is being written.
    Commenting,
    /// The host is being released.
    Releasing,
    /// Nothing is left to do.
    Done,
}
