//! Names: workflow ids, task queues, and the newtypes that they are made of.
//!
//! Two ids make everything idempotent. A `FileEvent` workflow is named by webhook and event id, so that a delivery
//! that is sent again is the same workflow. A `FilePipeline` workflow is named by pipeline, file and version, so that
//! push, pull and replays of one version of a file are one run. Both start with the installation's prefix, for clusters
//! that share one Temporal namespace.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::event::{EventId, EventKind, FileId, FileVersion};

/// Workflow type of an event's workflow, run by the intake.
pub const FILE_EVENT_WORKFLOW: &str = "FileEvent";

/// Workflow type of a signed delivery that is not a usable event. The intake lets it fail at once: it is there to be read.
pub const UNUSABLE_DELIVERY_WORKFLOW: &str = "UnusableDelivery";

/// Workflow type of a webhook's feed, run by the intake.
pub const FEED_WORKFLOW: &str = "Feed";

/// The reason with which the operator terminates the feed of a `FastioWebhook` that is deleted. The intake goes on from what
/// a feed knew that ended in any other way; after this one, another `FastioWebhook` of the same name begins anew.
pub const FEED_DELETED: &str = "the FastioWebhook is being deleted";

/// Workflow type of a run's workflow, run by the workers of a pipeline.
pub const FILE_PIPELINE_WORKFLOW: &str = "FilePipeline";

/// A name that cannot be used, with the rule that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} {value:?} must be 1 to {max} characters of a-z, 0-9, '-' and '.', starting and ending with a letter or digit"
)]
pub struct NameError {
    what: &'static str,
    value: String,
    max: usize,
}

fn check_dns_name(what: &'static str, value: &str, max: usize) -> Result<(), NameError> {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = value.as_bytes();
    let edges =
        bytes.first().copied().is_some_and(alphanumeric) && bytes.last().copied().is_some_and(alphanumeric);
    if edges && bytes.len() <= max && bytes.iter().all(|&b| alphanumeric(b) || b == b'-' || b == b'.') {
        Ok(())
    } else {
        Err(NameError { what, value: value.to_owned(), max })
    }
}

/// Prefix of every workflow id and task queue of one installation of the chart. Default `fastio`.
///
/// Two clusters that share a Temporal namespace must use different prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Installation(String);

impl FromStr for Installation {
    type Err = NameError;

    fn from_str(value: &str) -> Result<Self, NameError> {
        check_dns_name("installation", value, 40)?;
        Ok(Self(value.to_owned()))
    }
}

impl TryFrom<String> for Installation {
    type Error = NameError;

    fn try_from(value: String) -> Result<Self, NameError> {
        value.parse()
    }
}

impl From<Installation> for String {
    fn from(value: Installation) -> Self {
        value.0
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Namespace and name of a Kubernetes object, as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey {
    namespace: String,
    name: String,
}

impl ObjectKey {
    /// The key of an object. Both parts must be DNS names (RFC 1123), as Kubernetes demands of them.
    pub fn new(namespace: &str, name: &str) -> Result<Self, NameError> {
        check_dns_name("namespace", namespace, 63)?;
        check_dns_name("object name", name, 253)?;
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The object's name within its namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ObjectKey {
    type Err = NameError;

    fn from_str(value: &str) -> Result<Self, NameError> {
        let (namespace, name) = value.split_once('/').unwrap_or(("", value));
        Self::new(namespace, name)
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = NameError;

    fn try_from(value: String) -> Result<Self, NameError> {
        value.parse()
    }
}

impl From<ObjectKey> for String {
    fn from(value: ObjectKey) -> Self {
        value.to_string()
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as Temporal knows it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

text_newtype! {
    /// A Temporal workflow id.
    WorkflowId
}

text_newtype! {
    /// A Temporal task queue.
    TaskQueue
}

impl WorkflowId {
    /// Id of the workflow that decides what one event of a webhook means.
    #[must_use]
    pub fn file_event(installation: &Installation, webhook: &ObjectKey, event: &EventId) -> Self {
        Self(format!("{installation}:event:{webhook}:{event}"))
    }

    /// Id of the workflow that keeps a delivery which is not a usable event, by the SHA-256 of its body: the same one that
    /// is sent again is kept once.
    #[must_use]
    pub fn unusable(installation: &Installation, webhook: &ObjectKey, sha256: &str) -> Self {
        Self(format!("{installation}:unusable:{webhook}:{sha256}"))
    }

    /// Id of the workflow that follows what happens in a webhook's workspace. There is one, and it never ends.
    #[must_use]
    pub fn feed(installation: &Installation, webhook: &ObjectKey) -> Self {
        Self(format!("{installation}:feed:{webhook}"))
    }

    /// Id of a run of a pipeline for a file.
    ///
    /// Upload, modify and move are about what a file is now: one run for each version. Delete and access are about
    /// what happened: one run for each event. A file whose service names no version counts as one version.
    #[must_use]
    pub fn file_pipeline(
        installation: &Installation,
        pipeline: &ObjectKey,
        kind: EventKind,
        event: &EventId,
        file: &FileId,
        version: Option<&FileVersion>,
    ) -> Self {
        if kind.is_about_content() {
            let version = version.map_or("unversioned", FileVersion::as_str);
            Self(format!("{installation}:run:{pipeline}:{file}:{version}"))
        } else {
            Self(format!("{installation}:run:{pipeline}:event:{event}"))
        }
    }
}

impl TaskQueue {
    /// Queue of a webhook's intake: `FileEvent` workflows and their activities.
    #[must_use]
    pub fn intake(installation: &Installation, webhook: &ObjectKey) -> Self {
        Self(format!("{installation}:intake:{webhook}"))
    }

    /// Queue of a pipeline: `FilePipeline` workflows and the claim of a host. A queue of its own makes the runs of a
    /// pipeline countable on any Temporal by the built-in `TaskQueue` search attribute.
    #[must_use]
    pub fn pipeline(installation: &Installation, pipeline: &ObjectKey) -> Self {
        Self(format!("{installation}:pipeline:{pipeline}"))
    }

    /// Queue of one worker pod of a pipeline, for what needs that pod's scratch space and the Fast.io key.
    #[must_use]
    pub fn transfer_host(pipeline: &TaskQueue, host: &str) -> Self {
        Self(format!("{pipeline}:host:{host}:transfer"))
    }

    /// Queue of the `steps` container of the same pod, for what touches the content of files.
    #[must_use]
    pub fn steps_host(pipeline: &TaskQueue, host: &str) -> Self {
        Self(format!("{pipeline}:host:{host}:steps"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(kind: EventKind, event: &str, version: Option<&str>) -> WorkflowId {
        WorkflowId::file_pipeline(
            &"fastio".parse().unwrap(),
            &"media/photos".parse().unwrap(),
            kind,
            &event.parse().unwrap(),
            &"2abc".parse().unwrap(),
            version.map(|v| v.parse().unwrap()).as_ref(),
        )
    }

    #[test]
    fn one_version_is_one_run_whatever_the_event() {
        let first = run(EventKind::Upload, "evt-1", Some("3v1"));
        assert_eq!(first.as_str(), "fastio:run:media/photos:2abc:3v1");
        assert_eq!(first, run(EventKind::Modify, "evt-2", Some("3v1")));
        assert_ne!(first, run(EventKind::Upload, "evt-1", Some("3v2")));
    }

    #[test]
    fn delete_and_access_are_one_run_for_each_event() {
        assert_ne!(run(EventKind::Delete, "evt-1", None), run(EventKind::Delete, "evt-2", None));
    }

    #[test]
    fn keys_are_dns_names() {
        assert_eq!("media/photos".parse::<ObjectKey>().unwrap().name(), "photos");
        for bad in ["photos", "/photos", "media/", "Media/photos", "media/-x", "a/b/c"] {
            let error = bad.parse::<ObjectKey>().unwrap_err().to_string();
            assert!(error.contains("must be 1 to"), "{bad}: {error}");
        }
    }

    #[test]
    fn queues_of_one_pipeline_differ_by_host_and_role() {
        let pipeline = TaskQueue::pipeline(&"fastio".parse().unwrap(), &"media/photos".parse().unwrap());
        assert_ne!(TaskQueue::transfer_host(&pipeline, "a"), TaskQueue::transfer_host(&pipeline, "b"));
        assert_ne!(TaskQueue::transfer_host(&pipeline, "a"), TaskQueue::steps_host(&pipeline, "a"));
    }
}
