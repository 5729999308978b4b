use proptest::prelude::*;
use serde_json::json;

use super::*;

const NAMES: [&str; 4] =
    ["upload", "file.modified", "workspace_storage_file_moved", "share_storage_zip_downloaded"];

/// Pieces of which a body is nearly JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "1",
        "-1e400",
        "\"",
        "\"eventType\":",
        "\"event\":",
        "\"upload\",",
        "\"eventId\":\"e\",",
        "\"event_id\":\"e\",",
        "\"userId\":{",
        "\"id\":",
        "\\ud800",
        "\\u0000",
        "é",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop_oneof![nearly_json(), prop::collection::vec(any::<u8>(), 0..200)]) {
        if let Err(error) = parse(&body) {
            // The sender is shown this.
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn what_is_parsed_survives_its_canonical_form(
        api in any::<bool>(),
        name in prop::sample::select(NAMES.to_vec()),
        id in "[!-.0-9;-~]{1,40}",
        file_name in prop::option::of(any::<String>()),
        user in prop::option::of(any::<u64>()),
    ) {
        let body = if api {
            json!({"event": name, "event_id": id, "workspace_id": "1", "object_id": id, "calling_user": {"id": user}})
        } else {
            json!({"eventType": name, "eventId": id, "workspaceId": "1", "fileId": id, "fileName": file_name, "userId": user})
        };
        let event = parse(body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(event.id.as_str(), &id);
        prop_assert_eq!(event.file.as_str(), &id);
        prop_assert_eq!(&event.file_name, &file_name.filter(|_| !api));
        prop_assert_eq!(&event.actor, &user.map(|user| user.to_string()));
        prop_assert_eq!(serde_json::from_slice::<FileEvent>(&serde_json::to_vec(&event).unwrap()).unwrap(), event);
    }
}
