//! From the bytes of a delivery to a [`FileEvent`].
//!
//! The bytes are parsed once, into a typed value, after the signature was checked. What is handed on is our own
//! canonical form and never the sender's bytes: two JSON parsers can disagree about duplicate keys or broken
//! surrogates, so nobody behind the receiver sees them.

use serde::Deserialize;

use crate::event::{EventId, EventKind, FileEvent, FileId, IdError, Workspace};

/// Why a signed delivery cannot become a [`FileEvent`]. Sending it again cannot help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not the JSON that the guide describes.
    #[error("the body is not a Fast.io event: {0}")]
    Malformed(String),
    /// An id in it cannot be one.
    #[error("field {field}: {source}")]
    Id {
        /// JSON field.
        field: &'static str,
        /// What is wrong with it.
        source: IdError,
    },
    /// An event that is not about a file's life, for example `workspace.member_added`.
    #[error("event type {0:?} is not about a file")]
    UnknownEvent(String),
}

/// The guide's payload: `eventType`, `workspaceId`, `fileId`, `fileName`, `fileSize`, `userId`, `timestamp`, `eventId`
/// (source: the article "How to Integrate Fast.io Webhooks with Temporal.io").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GuidePayload {
    event_type: String,
    event_id: String,
    workspace_id: String,
    file_id: String,
    file_name: Option<String>,
    timestamp: Option<String>,
}

/// Parses a delivery in the guide's form. Unknown fields are ignored; duplicate fields are refused.
pub fn parse_guide(body: &[u8]) -> Result<FileEvent, PayloadError> {
    let payload: GuidePayload =
        serde_json::from_slice(body).map_err(|error| PayloadError::Malformed(error.to_string()))?;
    let id = |field| move |source| PayloadError::Id { field, source };
    let kind = EventKind::from_event_name(&payload.event_type)
        .ok_or_else(|| PayloadError::UnknownEvent(payload.event_type.chars().take(64).collect()))?;
    Ok(FileEvent {
        id: payload.event_id.parse::<EventId>().map_err(id("eventId"))?,
        kind,
        workspace: payload.workspace_id.parse::<Workspace>().map_err(id("workspaceId"))?,
        file: payload.file_id.parse::<FileId>().map_err(id("fileId"))?,
        file_name: payload.file_name,
        occurred_at: payload.timestamp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = r#"{"eventType":"upload","workspaceId":"1234567890123456789","fileId":"2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4",
        "fileName":"beach.jpg","fileSize":2400000,"userId":"9876543210987654321","timestamp":"2026-02-14T10:30:00Z","eventId":"evt-1"}"#;

    #[test]
    fn the_guides_example_is_an_event() {
        let event = parse_guide(GUIDE.as_bytes()).unwrap();
        assert_eq!(event.kind, EventKind::Upload);
        assert_eq!(event.id.as_str(), "evt-1");
        assert_eq!(event.file_name.as_deref(), Some("beach.jpg"));
    }

    #[test]
    fn unusable_bodies_say_why() {
        for (body, expected) in [
            (GUIDE.replace("evt-1", "a/b"), "field eventId"),
            (GUIDE.replace("\"upload\"", "\"workspace.member_added\""), "is not about a file"),
            (GUIDE.replace("\"fileId\"", "\"fileid\""), "missing field `fileId`"),
            (GUIDE.replace("{\"eventType\"", "{\"eventType\":\"modify\",\"eventType\""), "duplicate field"),
            ("[]".to_owned(), "not a Fast.io event"),
            (String::new(), "not a Fast.io event"),
        ] {
            let error = parse_guide(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }
}
