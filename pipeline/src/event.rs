//! What happened to a file, in one form whatever it came in as.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// A file appeared: uploaded, copied or restored.
    Upload,
    /// A file has a new version.
    Modify,
    /// A file has another folder.
    Move,
    /// A file went to the trash. A run takes it from there.
    Delete,
    /// A file was read.
    Access,
}

impl EventKind {
    /// All kinds, in the order in which they are documented.
    pub const ALL: [Self; 5] = [Self::Upload, Self::Modify, Self::Move, Self::Delete, Self::Access];

    /// The name in manifests and in the guide's payloads, for example `upload`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Modify => "modify",
            Self::Move => "move",
            Self::Delete => "delete",
            Self::Access => "access",
        }
    }

    /// The kind that a sender's event name stands for, or `None` if the name is not about a file's life.
    ///
    /// Sources name the same thing in several ways: the Temporal guide (`upload`), Fast.io's articles
    /// (`file.uploaded`) and the documented events API (`workspace_storage_file_added`, also as `share_storage_…`).
    #[must_use]
    pub fn from_event_name(name: &str) -> Option<Self> {
        let name = name
            .strip_prefix("workspace_storage_")
            .or_else(|| name.strip_prefix("share_storage_"))
            .unwrap_or(name);
        Some(match name {
            "upload" | "file.uploaded" | "file.created" | "file_added" | "file_copied" | "file_restored"
            | "file_sync_added" => Self::Upload,
            "modify"
            | "file.modified"
            | "file.updated"
            | "file_updated"
            | "file_version_restored"
            | "file_sync_updated" => Self::Modify,
            "move" | "file.moved" | "file_moved" => Self::Move,
            "delete" | "deletion" | "file.deleted" | "file_deleted" => Self::Delete,
            "access" | "file.accessed" | "download_token_created" | "zip_downloaded" => Self::Access,
            _ => return None,
        })
    }

    /// Whether the event is about what a file is now, so that one run for each version of it is enough. Delete and access
    /// are about what happened: each event counts.
    #[must_use]
    pub fn is_about_content(self) -> bool {
        match self {
            Self::Upload | Self::Modify | Self::Move => true,
            Self::Delete | Self::Access => false,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An id that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to {MAX_ID} visible ASCII characters without '/' and ':', got {got:?}")]
pub struct IdError {
    what: &'static str,
    got: String,
}

/// Longest id in characters. Documented ids have at most 36; the limit only keeps workflow ids under Temporal's 1,000.
const MAX_ID: usize = 200;

macro_rules! id_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(value: &str) -> Result<Self, IdError> {
                let fits = (1..=MAX_ID).contains(&value.len());
                // '/' and ':' separate the parts of a workflow id.
                if fits && value.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b':') {
                    Ok(Self(value.to_owned()))
                } else {
                    Err(IdError { what: $what, got: value.chars().take(64).collect() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(value: String) -> Result<Self, IdError> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_newtype! {
    /// Id of an event: the same in every delivery of it.
    EventId, "event id"
}

id_newtype! {
    /// Id of a Fast.io workspace: a decimal number, as text.
    Workspace, "workspace id"
}

id_newtype! {
    /// Id of a file in Fast.io. Opaque: kinds and lengths differ between sources.
    FileId, "file id"
}

id_newtype! {
    /// Id of one version of a file's content in Fast.io.
    FileVersion, "version id"
}

/// An event as the receiver hands it on: the input of the `FileEvent` workflow.
///
/// Everything but the ids and the kind is a hint of the sender: what counts is the file as it is when the event is
/// resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileEvent {
    /// Id of the event.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Where it happened.
    pub workspace: Workspace,
    /// The file that it happened to.
    pub file: FileId,
    /// The file's name according to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// When it happened according to the sender, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// The Fast.io user who did it according to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_event_name_has_a_kind() {
        for (name, kind) in [
            ("upload", Some(EventKind::Upload)),
            ("file.uploaded", Some(EventKind::Upload)),
            ("workspace_storage_file_added", Some(EventKind::Upload)),
            ("share_storage_file_copied", Some(EventKind::Upload)),
            ("workspace_storage_file_updated", Some(EventKind::Modify)),
            ("file.modified", Some(EventKind::Modify)),
            ("workspace_storage_file_moved", Some(EventKind::Move)),
            ("deletion", Some(EventKind::Delete)),
            ("workspace_storage_download_token_created", Some(EventKind::Access)),
            ("workspace.member_added", None),
            ("", None),
        ] {
            assert_eq!(EventKind::from_event_name(name), kind, "{name}");
        }
    }

    #[test]
    fn ids_refuse_what_would_blur_a_workflow_id() {
        assert!("evt-9a8b7c6d".parse::<EventId>().is_ok());
        for bad in ["", "a/b", "a:b", "a b", "ä", &"x".repeat(201)] {
            assert!(bad.parse::<EventId>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<EventId>("\"a/b\"").is_err());
    }
}
