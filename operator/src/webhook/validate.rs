//! Step 2: from a spec to a value that cannot be wrong. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use fastio::signature::{SecretEncoding, SecretError as BadSecret, SigningSecret};
use fastio::{IdError, WebhookEvent, WorkspaceId};
use fastio_crds::conditions::Reason;
use fastio_crds::{self as crds, FastioWebhook, FastioWebhookSpec, FileEventKind, SecretKeyReference};
use fastio_pipeline::event::EventKind;
use fastio_pipeline::names::{NameError, ObjectKey};
use secrecy::{ExposeSecret, SecretSlice};
use url::Url;

use super::delivery::{Delivery, Ingress, Origin};
use super::observe::HandmadeSecret;
use super::remote::{Wanted, path};
use crate::children::owner::Owner;
use crate::connection::{Access, AccessError};
use crate::keys::RootKey;
use crate::problem::{Explain, Problem};
use crate::secrets::SecretError;

/// Nothing but a change of the spec helps, and that is noticed at once.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// A `FastioWebhook` with all that its children need.
#[derive(Debug)]
pub(super) struct Valid {
    pub(super) owner: Owner,
    pub(super) key: ObjectKey,
    pub(super) workspace: WorkspaceId,
    pub(super) delivery: Delivery,
    pub(super) events: BTreeSet<FileEventKind>,
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
    #[error("spec.endpoint: must be set for spec.delivery {0}; give {{url: https://hooks.studio.example}}")]
    NoEndpoint(&'static str),
    #[error("spec.endpoint.url: {url:?} {problem}; give scheme and host, as in https://hooks.studio.example")]
    Url { url: String, problem: String },
    #[error(
        "spec.receiver.signature.secretRef: must be set for this scheme; webhooks that the operator registers are signed \
         as BodyHex"
    )]
    Scheme,
    #[error(
        "spec.receiver.signature.previousSecretKey: must be another key of the Secret in secretRef, which has to be set; name \
         one, or leave it out"
    )]
    PreviousKey,
    #[error(
        "spec.receiver.signature: signature and time are both in the header {0}; give header and timestampHeader two \
         names"
    )]
    SameHeader(String),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Temporal(#[from] AccessError),
}

impl Explain for Invalid {
    fn problem(&self) -> Problem {
        match self {
            Self::Temporal(error) => error.problem(),
            Self::Secret(error) => error.problem(),
            error => Problem::needs_action(Reason::InvalidSpec, error.to_string(), LOOK_AGAIN),
        }
    }
}

pub(super) fn validate(
    webhook: &FastioWebhook,
    temporal: Result<Access, AccessError>,
    by_hand: Option<Result<HandmadeSecret, SecretError>>,
) -> Result<Valid, Problem> {
    check(webhook, temporal, by_hand).map_err(|error| error.problem())
}

fn check(
    webhook: &FastioWebhook,
    temporal: Result<Access, AccessError>,
    by_hand: Option<Result<HandmadeSecret, SecretError>>,
) -> Result<Valid, Invalid> {
    let owner = Owner::of(webhook).ok_or(Invalid::NotStored)?;
    let spec = &webhook.spec;
    Ok(Valid {
        key: ObjectKey::new(owner.namespace(), owner.name())?,
        workspace: spec.workspace_id.parse()?,
        delivery: delivery(spec, owner.uid(), by_hand)?,
        events: spec.events.iter().copied().collect(),
        api_key: spec.api_key_secret_ref.clone(),
        temporal: temporal?,
        owner,
    })
}

fn delivery(
    spec: &FastioWebhookSpec,
    uid: &str,
    by_hand: Option<Result<HandmadeSecret, SecretError>>,
) -> Result<Delivery, Invalid> {
    let ingress = |endpoint: &crds::Endpoint| ingress(spec, endpoint, uid, by_hand);
    let required = |word| spec.endpoint.as_ref().ok_or(Invalid::NoEndpoint(word));
    Ok(match spec.delivery {
        crds::Delivery::Pull => Delivery::Pull,
        crds::Delivery::Push => Delivery::Push(ingress(required("Push")?)?),
        crds::Delivery::Both => Delivery::Both(ingress(required("Both")?)?),
        crds::Delivery::Auto => match &spec.endpoint {
            Some(endpoint) => Delivery::Auto(ingress(endpoint)?),
            None => Delivery::Pull,
        },
    })
}

fn ingress(
    spec: &FastioWebhookSpec,
    endpoint: &crds::Endpoint,
    uid: &str,
    by_hand: Option<Result<HandmadeSecret, SecretError>>,
) -> Result<Ingress, Invalid> {
    let signature = spec.receiver.signature.clone();
    check_headers(&signature)?;
    check_previous_key(&signature)?;
    let origin = match by_hand {
        None if signature.scheme != crds::SignatureScheme::BodyHex => return Err(Invalid::Scheme),
        None => Origin::Registered,
        Some(secret) => {
            let HandmadeSecret { secret, reference, values } = secret?;
            for (key, value) in &values {
                usable(value, signature.secret_encoding).map_err(|error| secret.invalid(key, &error))?;
            }
            Origin::ByHand { secret: reference, values: values.into_values().collect() }
        }
    };
    Ok(Ingress { url: hook_url(&endpoint.url, uid)?, receivers: spec.receiver.replicas, signature, origin })
}

/// The receiver does not start with one header for two things.
fn check_headers(signature: &crds::Signature) -> Result<(), Invalid> {
    if signature.scheme != crds::SignatureScheme::StampedHex {
        return Ok(());
    }
    let header = signature.header.as_deref().unwrap_or("X-Fastio-Signature");
    let timestamp = signature.timestamp_header.as_deref().unwrap_or("X-Fastio-Timestamp");
    if header.eq_ignore_ascii_case(timestamp) {
        return Err(Invalid::SameHeader(header.to_owned()));
    }
    Ok(())
}

/// It would say nothing without the key that it comes before.
fn check_previous_key(signature: &crds::Signature) -> Result<(), Invalid> {
    let current = signature.secret_ref.as_ref().map(|reference| &reference.key);
    match &signature.previous_secret_key {
        Some(previous) if current.is_none_or(|current| current == previous) => Err(Invalid::PreviousKey),
        _ => Ok(()),
    }
}

/// Whether the receiver can use a signing secret. It reads it from a file, so a newline at the end does not count.
fn usable(value: &SecretSlice<u8>, encoding: crds::SecretEncoding) -> Result<(), BadSecret> {
    let value = value.expose_secret();
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    let value = value.strip_suffix(b"\r").unwrap_or(value);
    SigningSecret::decode(value, secret_encoding(encoding)).map(drop)
}

/// The same encoding, as the receiver knows it.
pub(super) fn secret_encoding(encoding: crds::SecretEncoding) -> SecretEncoding {
    match encoding {
        crds::SecretEncoding::Raw => SecretEncoding::Raw,
        crds::SecretEncoding::Hex => SecretEncoding::Hex,
        crds::SecretEncoding::Base64 => SecretEncoding::Base64,
        crds::SecretEncoding::Whsec => SecretEncoding::Whsec,
    }
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
    pub(super) fn wanted(&self, ingress: &Ingress, root_key: &RootKey) -> Wanted {
        Wanted {
            workspace: self.workspace.clone(),
            url: ingress.url.clone(),
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
