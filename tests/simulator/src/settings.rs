//! What a simulator is told when it starts.

use std::{path::PathBuf, str::FromStr, time::Duration};

use crate::ids::ProfileId;

/// Settings of one simulator; the command line of the binary sets the same.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory of the state. It is made when it does not exist.
    pub data: PathBuf,
    /// Webhook API that is offered; none by default, as in the live service.
    pub webhooks: Option<WebhookDialect>,
    /// Delay before the second attempt of a delivery; doubled each time, at most 60 s. Default 1 s.
    pub webhook_retry_base: Duration,
    /// Time that a receiver has to answer. Default 10 s.
    pub webhook_timeout: Duration,
    /// Whether downloads honour `Range`. Default true.
    pub ranges: bool,
    /// Status name of a finished upload. Default `complete`.
    pub upload_final: FinalStatus,
    /// Time that a finished upload spends in each of `assembling` and `storing`. Default 25 ms.
    pub upload_step: Duration,
    /// Whether an upload in one call answers with the id of the file at once. Default false.
    pub inline_file_id: bool,
    /// Calls per minute of one API key. Default 100,000.
    pub rate_limit: u32,
    /// Organisation of the workspaces below.
    pub org: String,
    /// Workspaces to make at the start.
    pub workspaces: Vec<NamedWorkspace>,
    /// API keys to accept from the start.
    pub api_keys: Vec<String>,
}

impl Settings {
    /// The defaults, with the state in that directory.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            webhooks: None,
            webhook_retry_base: Duration::from_secs(1),
            webhook_timeout: Duration::from_secs(10),
            ranges: true,
            upload_final: FinalStatus::Complete,
            upload_step: Duration::from_millis(25),
            inline_file_id: false,
            rate_limit: 100_000,
            org: crate::control::DEFAULT_ORG.to_owned(),
            workspaces: Vec::new(),
            api_keys: Vec::new(),
        }
    }
}

/// Webhook APIs that can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum WebhookDialect {
    /// `/workspaces/{id}/webhooks/` and `Fastio-Signature: sha256=…`, as the Temporal guide has it.
    Guide,
}

/// Names of the final status of an upload; the service has changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FinalStatus {
    /// Since October 2026.
    Complete,
    /// Before.
    Stored,
}

/// `NAME` or `NAME=ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWorkspace {
    pub(crate) name: String,
    pub(crate) id: Option<ProfileId>,
}

/// The text after `=` is not an id.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a workspace id: it must be 19 decimal digits")]
pub struct NotAWorkspaceId(String);

impl FromStr for NamedWorkspace {
    type Err = NotAWorkspaceId;

    fn from_str(text: &str) -> Result<Self, NotAWorkspaceId> {
        let Some((name, id)) = text.split_once('=') else {
            return Ok(Self { name: text.to_owned(), id: None });
        };
        let id = ProfileId::parse(id).ok_or_else(|| NotAWorkspaceId(id.to_owned()))?;
        Ok(Self { name: name.to_owned(), id: Some(id) })
    }
}
