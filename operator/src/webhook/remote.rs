//! The webhook at Fast.io: an object outside of Kubernetes, found again by a marker that follows from ours.
//!
//! The path of the URL holds the uid of the `FastioWebhook`. So a webhook whose creation was answered by nobody, or
//! recorded by nobody, is found and adopted, and one of an earlier object of the same name is never mistaken for ours.

pub(super) mod feed;
mod look;
mod plan;
mod session;

use std::collections::BTreeSet;
use std::time::Duration;

use fastio::{ErrorClass, HumanReason, Webhook, WebhookEvent, WorkspaceId};
use fastio_crds::conditions::Reason;
use url::Url;

pub(super) use look::list;
pub use look::{Identity, Remotes};
pub(super) use session::Registration;
pub use session::Session;
pub(super) use session::remove;

use crate::keys::DerivedKey;
use crate::problem::{Explain, Outlook, Problem};

/// How soon it is looked again whether what only a person can change has changed. A changed API key or spec is noticed
/// sooner.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// How long the watch may take to bring a change that the API server has.
const READ_AGAIN: Duration = Duration::from_millis(200);

/// Path of a webhook's URL: the marker.
#[must_use]
pub fn path(uid: &str) -> String {
    format!("/v1/hooks/{uid}")
}

/// Whether a URL at Fast.io carries the marker of an object. Its host does not count: it may have changed.
#[must_use]
pub fn is_marked(url: &str, uid: &str) -> bool {
    !uid.is_empty() && Url::parse(url).is_ok_and(|url| url.path() == path(uid))
}

/// What Fast.io says about webhooks.
#[derive(Debug, Clone)]
pub enum Found {
    /// The service has none.
    Unsupported,
    /// The API key may not list, register or change them.
    Forbidden {
        /// What Fast.io says about it.
        why: String,
        /// Those that carry our marker, if they may be listed.
        marked: Option<Vec<Webhook>>,
    },
    /// Those that carry our marker.
    Marked(Vec<Webhook>),
}

impl Found {
    /// The webhooks that carry our marker, or why they are not known.
    fn marked(&self) -> Result<&[Webhook], RemoteError> {
        match self {
            Self::Marked(marked) | Self::Forbidden { marked: Some(marked), .. } => Ok(marked),
            Self::Forbidden { why, marked: None } => Err(RemoteError::Forbidden(why.clone())),
            Self::Unsupported => Err(RemoteError::Unsupported),
        }
    }
}

/// What the webhook at Fast.io should be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where it is.
    pub workspace: WorkspaceId,
    /// What it calls.
    pub url: Url,
    /// What it reports.
    pub events: BTreeSet<WebhookEvent>,
    /// What it signs with.
    pub secret: DerivedKey,
}

/// Why the webhook at Fast.io is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No client can be made.
    #[error("{0}")]
    Client(#[from] fastio::ClientError),
    /// A call failed.
    #[error("{0}")]
    Call(#[from] fastio::Error),
    /// The service has no webhooks.
    #[error(
        "this Fast.io service has no webhook API, so it cannot push events; spec.delivery Auto and Pull need none, and the \
         chart value fastio.baseUrl points the operator at another service"
    )]
    Unsupported,
    /// The API key may not list webhooks, as Fast.io said a short time ago.
    #[error("{0}")]
    Forbidden(String),
    /// The derived key cannot sign.
    #[error("{0}")]
    Secret(#[from] fastio::signature::SecretError),
    /// The object has changed since it was read, so that it must be read again before a webhook is registered.
    #[error("the webhook is registered as soon as the newest state of this object was read")]
    Outdated,
    /// What is to be created could not be recorded before.
    #[error("the status cannot be written before the webhook is registered: {0}")]
    Record(Box<kube::Error>),
}

impl RemoteError {
    /// The key is good, and may not do this.
    fn is_forbidden(&self) -> bool {
        matches!(self, Self::Call(error) if error.status() == Some(403)
            && error.class() != ErrorClass::NeedsHuman(HumanReason::KeyRejected))
    }

    /// The problem, with the Secret that the API key comes from where the key may be the cause.
    pub(super) fn problem_with(&self, secret: &str) -> Problem {
        let mut problem = self.problem();
        if matches!(problem.reason, Reason::ApiKeyRejected | Reason::AccessDenied | Reason::WorkspaceNotFound)
        {
            problem.message = format!("{} (the API key is that of Secret {secret})", problem.message);
        }
        problem
    }
}

impl Explain for RemoteError {
    fn problem(&self) -> Problem {
        let message = self.to_string();
        let stalled = |reason| Problem::needs_action(reason, message.clone(), LOOK_AGAIN);
        let error = match self {
            Self::Unsupported => return stalled(Reason::WebhooksUnsupported),
            Self::Forbidden(_) => return stalled(Reason::AccessDenied),
            Self::Outdated => return Problem::waiting(Reason::RollingOut, message, READ_AGAIN),
            Self::Client(_) | Self::Secret(_) | Self::Record(_) => return Problem::passing(message),
            Self::Call(error) => error,
        };
        match error.class() {
            ErrorClass::NeedsHuman(HumanReason::KeyRejected) => stalled(Reason::ApiKeyRejected),
            ErrorClass::NeedsHuman(HumanReason::KeyUnusable) => stalled(Reason::SecretInvalid),
            ErrorClass::NeedsHuman(_) => stalled(Reason::AccessDenied),
            ErrorClass::Gone => stalled(Reason::WorkspaceNotFound),
            ErrorClass::Invalid => stalled(Reason::InvalidSpec),
            _ => Problem {
                reason: Reason::Retrying,
                message,
                outlook: Outlook::Passing { at_least: error.retry_after() },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_the_uid_in_the_path_whatever_the_host() {
        assert!(is_marked("https://old.example/v1/hooks/abc", "abc"));
        for (url, uid) in [
            ("https://hooks.example/v1/hooks/abcd", "abc"),
            ("https://hooks.example/x/v1/hooks/abc", "abc"),
            ("https://hooks.example/v1/hooks/", ""),
            ("not a url", "abc"),
        ] {
            assert!(!is_marked(url, uid), "{url}");
        }
    }
}
