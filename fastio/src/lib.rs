//! Client of the Fast.io API, and verification of its webhook signatures.
//!
//! [`Client`] makes the calls; each module is one area of the API. Every call answers with typed values or with an
//! [`Error`] that says what to do about it ([`Error::class`]). [`signature`] needs no client at all.
//!
//! TLS comes from `rustls` without a built-in provider: install one first thing in `main`, for example
//! `rustls::crypto::ring::default_provider().install_default()`.
//!
//! All clients of a process that use the same key at the same service share one rate limiter, which is led by the limit
//! headers of the replies.
//!
//! [`Client::observed_by`] tells somebody of every call, for example metrics for Prometheus: `ApiMetrics`, with the feature
//! `metrics`.
//!
//! The service cannot be reached from tests: `docs/fastio-api.md` says for each call what it is based on, and the examples
//! run against a simulated service that was written from the same sources by itself.

#![forbid(unsafe_code)]

mod auth;
mod base_url;
mod client;
mod comments;
mod cursors;
#[cfg(test)]
mod documented;
mod download;
mod envelope;
mod error;
mod events;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod key;
mod limit;
mod metadata;
#[cfg(any(test, feature = "metrics"))]
mod metrics;
mod observe;
mod orgs;
mod paging;
pub mod signature;
mod storage;
mod time;
mod upload;
mod webhooks;
mod workspaces;

pub use auth::Scopes;
pub use base_url::{BaseUrl, BaseUrlError};
pub use client::{Client, ClientError};
pub use comments::{Comment, MAX_COMMENT_CHARS, MAX_COMMENT_DISPLAYED, NewComment, truncate_displayed};
pub use cursors::{ActivityMark, ChangeCursor, EventCursor, PageCursor};
pub use download::{ByteRange, Download, DownloadStatus, DownloadToken};
pub use error::{Error, ErrorClass, ErrorKind, HumanReason, InvalidField, Refusal};
pub use events::{
    Activity, Change, ChangePage, Changes, Event, EventPage, EventSearch, MAX_ACTIVITY_WAIT, MAX_CHANGES,
    MAX_EVENT_NAMES, MAX_EVENTS,
};
pub use ids::{
    CommentId, EventId, IdError, MAX_ID_LEN, NodeId, OrgId, SubscriptionId, UploadId, UserId, VersionId,
    WebhookId, WorkspaceId,
};
pub use key::{ApiKey, ApiKeySource, KeyError};
#[cfg(any(test, feature = "metrics"))]
pub use metrics::ApiMetrics;
pub use observe::{Observe, Outcome};
pub use orgs::Org;
/// What a secret that the service made is kept in.
pub use secrecy::{ExposeSecret, SecretString};
pub use storage::{
    ContentHash, FoundNode, FoundPage, HashAlgorithm, MAX_BULK_NODES, MAX_FOUND, Node, NodeError, NodeKind,
    NodePage, Origin, Version, Virus, VirusStatus,
};
pub use upload::{MAX_CHUNK, MAX_SMALL_UPLOAD, MIN_CHUNK, UploadLimits, UploadStarted, UploadStatus};
pub use webhooks::{
    CreatedSubscription, NewSubscription, NewWebhook, Subscription, SubscriptionChange, Webhook,
    WebhookChange, WebhookEvent, Webhooks,
};
pub use workspaces::Workspace;

/// The answer of every call.
pub type Result<T> = std::result::Result<T, Error>;
