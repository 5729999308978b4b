//! Condition types and reasons. Both are part of the API: kubectl, Helm, Flux and Argo CD read them, people search for
//! them. Every reason has an entry in `docs/conditions.md`; a test compares the two.
//!
//! `Ready` says whether an upload made one second later is processed. `Reconciling` and `Stalled` are abnormal-true:
//! present only while true, never both (kstatus, <https://github.com/kubernetes-sigs/cli-utils>).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Type of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// Everything is in place: an upload made one second later is processed.
    Ready,
    /// The operator is still working towards the spec, or waits for something that should pass by itself.
    Reconciling,
    /// Nothing will change until somebody acts; the message says what to do.
    Stalled,
}

impl ConditionType {
    /// The type as it is written in a status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Why a condition has its status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The reason as it is written in a status.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

reasons! {
    /// Events come in (`FastioWebhook`) or files are processed (`FilePipeline`).
    Running,
    /// Pods are not ready yet.
    RollingOut,
    /// Something did not work that should pass by itself; the operator tries again.
    Retrying,
    /// The object is being deleted.
    Deleting,
    /// A Secret that the object names does not exist, or lacks the key.
    SecretNotFound,
    /// A Secret has a value that cannot be what it should be.
    SecretInvalid,
    /// Fast.io does not accept the API key.
    ApiKeyRejected,
    /// The API key may not do what is needed, or the account lacks a plan or credits.
    AccessDenied,
    /// The workspace does not exist or the API key cannot see it.
    WorkspaceNotFound,
    /// The service has no webhook API, so that no events can be pushed.
    WebhooksUnsupported,
    /// Events are pulled, and the API key may read neither the change feed of the organisation nor the event log.
    FeedForbidden,
    /// Neither the object nor the operator's configuration says where Temporal is.
    TemporalNotConfigured,
    /// The spec contradicts itself in a way that the API server's rules cannot see.
    InvalidSpec,
    /// The `FastioWebhook` that a `FilePipeline` names does not exist.
    WebhookNotFound,
    /// The `FastioWebhook` that a `FilePipeline` names is not ready.
    WebhookNotReady,
    /// An object that the operator would have to change belongs to somebody else.
    NameTaken,
    /// The API server refuses one of the objects that the operator would create (quota, policy, admission).
    ChildRejected,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
