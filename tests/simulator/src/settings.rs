//! What a simulator is told when it starts.

use std::{num::NonZeroUsize, path::PathBuf, str::FromStr, time::Duration};

use crate::{faults::ExpiresForm, ids::ProfileId};

/// Enough that a thousand deliveries at once take no longer than the receiver needs for them.
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// Settings of one simulator; the command line of the binary sets the same.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory of the state. It is made when it does not exist.
    pub data: PathBuf,
    /// Webhook API that is offered; none by default, as in the live service.
    pub webhooks: Option<WebhookDialect>,
    /// Delay before the second attempt of a delivery; doubled each time. Default 1 s.
    pub webhook_retry_base: Duration,
    /// Longest delay between two attempts of a delivery. Default 60 s.
    pub webhook_retry_max: Duration,
    /// Age at which a delivery is given up. Default 24 h.
    pub webhook_give_up: Duration,
    /// Failed attempts in a row after which a webhook is disabled. Default: never.
    pub webhook_suspend_after: Option<u32>,
    /// Deliveries to one webhook at the same time, each with its connection. Default 32.
    pub webhook_connections: NonZeroUsize,
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
    /// Form of `x-ve-limit-expires`. Default `epoch`.
    pub limit_expires: ExpiresForm,
    /// Age at which a cursor of the change feed is not taken any more. Default 30 days.
    pub change_cursor_lifetime: Duration,
    /// Whether webhooks of the `subscriptions` dialect may have http URLs and private addresses.
    /// Default false, as in the service.
    pub insecure_targets: bool,
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
            webhook_retry_max: Duration::from_mins(1),
            webhook_give_up: Duration::from_hours(24),
            webhook_suspend_after: None,
            webhook_connections: CONNECTIONS,
            webhook_timeout: Duration::from_secs(10),
            ranges: true,
            upload_final: FinalStatus::Complete,
            upload_step: Duration::from_millis(25),
            inline_file_id: false,
            rate_limit: 100_000,
            limit_expires: ExpiresForm::Epoch,
            change_cursor_lifetime: Duration::from_hours(30 * 24),
            insecure_targets: false,
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
    /// The retired `/workspace/{id}/outbound_webhook_subscriptions/`, with secrets that the service makes.
    Subscriptions,
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
