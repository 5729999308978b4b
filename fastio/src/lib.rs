//! Client of the Fast.io API, and verification of its webhook signatures.
//!
//! [`Client`] makes the calls; each module is one area of the API. Every call answers with typed values or with an
//! [`Error`] that says what to do about it ([`Error::class`]). [`signature`] needs no client at all.
//!
//! TLS comes from `rustls` without a built-in provider: install one first thing in `main`, for example
//! `rustls::crypto::ring::default_provider().install_default()`.
//!
//! What the calls are based on: the official command line client 0.2.13 and its public tests, the agent guides v1.29
//! to v1.41, and captured replies of May 2026. The module of each call names its source.

#![forbid(unsafe_code)]

mod auth;
mod base_url;
mod client;
mod comments;
mod download;
mod envelope;
mod error;
mod ids;
mod key;
mod limit;
mod metadata;
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
pub use download::{ByteRange, Download, DownloadStatus, DownloadToken};
pub use error::{Error, ErrorClass, ErrorKind, HumanReason, Refusal};
pub use ids::{
    CommentId, IdError, MAX_ID_LEN, NodeId, OrgId, UploadId, UserId, VersionId, WebhookId, WorkspaceId,
};
pub use key::{ApiKey, ApiKeySource, KeyError};
pub use limit::Limits;
pub use storage::{
    ContentHash, HashAlgorithm, MAX_BULK_NODES, Node, NodeError, NodeKind, NodePage, Origin, PageCursor,
    Virus, VirusStatus,
};
pub use upload::{MAX_CHUNK, MAX_SMALL_UPLOAD, MIN_CHUNK, UploadStarted, UploadStatus};
pub use webhooks::{NewWebhook, Webhook, WebhookChange, WebhookEvent, Webhooks};
pub use workspaces::Workspace;

/// The answer of every call.
pub type Result<T> = std::result::Result<T, Error>;
