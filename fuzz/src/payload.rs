//! The parser of payloads.

use fastio_pipeline::event::FileEvent;
use fastio_pipeline::payload::parse;

pub(crate) const WORDS: &[&str] = &[
    "\"eventType\":",
    "\"eventId\":",
    "\"workspaceId\":",
    "\"fileId\":",
    "\"fileName\":",
    "\"userId\":",
    "\"timestamp\":",
    "\"event\":",
    "\"event_id\":",
    "\"workspace_id\":",
    "\"object_id\":",
    "\"created\":",
    "\"calling_user\":",
    "\"id\":",
    "upload",
    "modify",
    "file.deleted",
    "workspace_storage_file_moved",
    "share_storage_zip_downloaded",
    "null",
    "true",
    "{\"id\":1}",
    "1e400",
    "-1",
    "18446744073709551616",
    "\\ud800",
    "\\u0000",
    ",",
    "[",
    "]",
    "{",
    "}",
];

pub(crate) fn run(bytes: &[u8]) {
    let event = match parse(bytes) {
        Ok(event) => event,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() < 2048, "a message without bounds: {} bytes", text.len());
            return;
        }
    };
    // What is handed on is read by everybody behind the receiver.
    let canonical = serde_json::to_vec(&event).expect("an event has a canonical form");
    assert_eq!(
        serde_json::from_slice::<FileEvent>(&canonical).expect("the canonical form is an event"),
        event
    );
    for id in [event.id.as_str(), event.workspace.as_str(), event.file.as_str()] {
        assert!((1..=200).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
        assert!(!id.contains(['/', ':']), "{id:?}");
    }
    // A generic parser that accepts these bytes sees the same event in them. (It refuses numbers without bounds and broken
    // surrogates also where nobody looks.)
    let Ok(serde_json::Value::Object(seen)) = serde_json::from_slice(bytes) else { return };
    let text = |key: &str| match seen.get(key)? {
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let id = if seen.get("eventType").is_some_and(|value| !value.is_null()) { "eventId" } else { "event_id" };
    assert_eq!(text(id).as_deref(), Some(event.id.as_str()));
}
