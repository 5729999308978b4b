//! Step 2: from a spec to a value that cannot be wrong. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use fastio::{IdError, WebhookEvent, WorkspaceId};
use fastio_crds::conditions::Reason;
use fastio_crds::{FastioWebhook, FileEventKind, SecretKeyReference};
use fastio_pipeline::event::EventKind;
use fastio_pipeline::names::{NameError, ObjectKey};
use url::Url;

use super::remote::{Wanted, path};
use crate::children::owner::Owner;
use crate::connection::{Access, AccessError};
use crate::keys::RootKey;
use crate::problem::{Explain, Problem};

/// Nothing but a change of the spec helps, and that is noticed at once.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// A `FastioWebhook` with all that its children need.
#[derive(Debug)]
pub(super) struct Valid {
    pub(super) owner: Owner,
    pub(super) key: ObjectKey,
    pub(super) workspace: WorkspaceId,
    /// What Fast.io calls.
    pub(super) url: Url,
    pub(super) events: BTreeSet<FileEventKind>,
    pub(super) receivers: i32,
    pub(super) api_key: SecretKeyReference,
    pub(super) temporal: Access,
}

/// What is wrong with a spec. Most of it is refused by the API server's rules already.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("the object was not read from the API server: it has no namespace, name or uid")]
    NotStored,
    #[error("metadata: {0}")]
    Metadata(#[from] NameError),
    #[error("spec.workspaceId: {0}")]
    Workspace(#[from] IdError),
    #[error("spec.endpoint.url: {url:?} {problem}; give scheme and host, as in https://hooks.studio.example")]
    Url { url: String, problem: String },
    #[error(transparent)]
    Temporal(#[from] AccessError),
}

impl Explain for Invalid {
    fn problem(&self) -> Problem {
        match self {
            Self::Temporal(error) => error.problem(),
            error => Problem::needs_action(Reason::InvalidSpec, error.to_string(), LOOK_AGAIN),
        }
    }
}

pub(super) fn validate(
    webhook: &FastioWebhook,
    temporal: Result<Access, AccessError>,
) -> Result<Valid, Problem> {
    check(webhook, temporal).map_err(|error| error.problem())
}

fn check(webhook: &FastioWebhook, temporal: Result<Access, AccessError>) -> Result<Valid, Invalid> {
    let owner = Owner::of(webhook).ok_or(Invalid::NotStored)?;
    let spec = &webhook.spec;
    Ok(Valid {
        key: ObjectKey::new(owner.namespace(), owner.name())?,
        workspace: spec.workspace_id.parse()?,
        url: hook_url(&spec.endpoint.url, owner.uid())?,
        events: spec.events.iter().copied().collect(),
        receivers: spec.receiver.replicas,
        api_key: spec.api_key_secret_ref.clone(),
        temporal: temporal?,
        owner,
    })
}

fn hook_url(base: &str, uid: &str) -> Result<Url, Invalid> {
    let wrong = |problem: String| Invalid::Url { url: base.to_owned(), problem };
    let mut url = Url::parse(base).map_err(|error| wrong(format!("is not a URL ({error})")))?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(wrong("is more than a scheme and a host".to_owned()));
    }
    url.set_path(&path(uid));
    Ok(url)
}

impl Valid {
    /// What the webhook at Fast.io should be.
    pub(super) fn wanted(&self, root_key: &RootKey) -> Wanted {
        Wanted {
            workspace: self.workspace.clone(),
            url: self.url.clone(),
            events: self.events.iter().map(|&kind| WebhookEvent::from(event_word(kind))).collect(),
            secret: root_key.signing_secret(self.owner.uid()),
        }
    }

    /// The subscribed events, as flags and the API spell them.
    pub(super) fn event_words(&self) -> String {
        self.events.iter().map(|&kind| event_word(kind)).collect::<Vec<_>>().join(",")
    }
}

fn event_word(kind: FileEventKind) -> &'static str {
    EventKind::from(kind).as_str()
}
