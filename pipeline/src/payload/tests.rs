mod properties;

use super::*;

const GUIDE: &str = r#"{"eventType":"upload","workspaceId":"1234567890123456789","fileId":"2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4",
    "fileName":"beach.jpg","fileSize":2400000,"userId":"9876543210987654321","timestamp":"2026-02-14T10:30:00Z","eventId":"evt-1"}"#;

const ROW: &str = r#"{"event_id":"e4f","event":"workspace_storage_file_added","category":"workspace","sub_category":"transfer",
    "object_id":"2ltsuq4mjacuv7pgc5ydlxnsjwee4","created":"2026-02-14 10:30:00 UTC","calling_user":"9876543210987654321",
    "workspace_id":"1234567890123456789","org_id":"3","acknowledged":false,"notification":{"id":1,"text":"x"}}"#;

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

fn refusal(body: &str) -> PayloadError {
    parse(body.as_bytes()).expect_err(body)
}

#[test]
fn the_guides_example_is_an_event() {
    let event = parse(GUIDE.as_bytes()).unwrap();
    assert_eq!(event.kind, EventKind::Upload);
    assert_eq!(event.id.as_str(), "evt-1");
    assert_eq!(event.workspace.as_str(), "1234567890123456789");
    assert_eq!(event.file.as_str(), "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4");
    assert_eq!(event.file_name.as_deref(), Some("beach.jpg"));
    assert_eq!(event.occurred_at.as_deref(), Some("2026-02-14T10:30:00Z"));
    assert_eq!(event.actor.as_deref(), Some("9876543210987654321"));
}

#[test]
fn a_row_of_the_events_api_is_an_event() {
    let event = parse(ROW.as_bytes()).unwrap();
    assert_eq!(event.kind, EventKind::Upload);
    assert_eq!(event.id.as_str(), "e4f");
    assert_eq!(event.workspace.as_str(), "1234567890123456789");
    assert_eq!(event.file.as_str(), "2ltsuq4mjacuv7pgc5ydlxnsjwee4");
    assert_eq!(event.file_name, None);
    assert_eq!(event.occurred_at.as_deref(), Some("2026-02-14 10:30:00 UTC"));
    assert_eq!(event.actor.as_deref(), Some("9876543210987654321"));
}

/// Event names of the documented events API, of Fast.io's articles and of the guide. `None`: not about a file's life.
#[test]
fn every_event_name_of_every_source_is_answered_in_both_forms() {
    use EventKind::{Access, Delete, Modify, Move, Upload};
    let storage = [
        ("file_added", Some(Upload)),
        ("file_copied", Some(Upload)),
        ("file_restored", Some(Upload)),
        ("file_sync_added", Some(Upload)),
        ("file_updated", Some(Modify)),
        ("file_version_restored", Some(Modify)),
        ("file_sync_updated", Some(Modify)),
        ("file_deleted", Some(Delete)),
        ("file_moved", Some(Move)),
        ("download_token_created", Some(Access)),
        ("zip_downloaded", Some(Access)),
        ("folder_created", None),
        ("folder_deleted", None),
        ("folder_moved", None),
        ("link_added", None),
        ("lock_overridden", None),
    ];
    let storage = ["workspace_storage_", "share_storage_"]
        .iter()
        .flat_map(|prefix| storage.map(|(name, kind)| (format!("{prefix}{name}"), kind)));
    let others = [
        ("upload", Some(Upload)),
        ("modify", Some(Modify)),
        ("move", Some(Move)),
        ("delete", Some(Delete)),
        ("deletion", Some(Delete)),
        ("access", Some(Access)),
        ("file.uploaded", Some(Upload)),
        ("file.created", Some(Upload)),
        ("file.modified", Some(Modify)),
        ("file.updated", Some(Modify)),
        ("file.moved", Some(Move)),
        ("file.deleted", Some(Delete)),
        ("file.accessed", Some(Access)),
        ("workspace.member_added", None),
        ("comment_created", None),
        ("file_share_created", None),
        ("ai_chat_created", None),
        ("metadata_kv_set", None),
        ("file.upload", None),
        ("", None),
    ];
    for (name, kind) in storage.chain(others.map(|(name, kind)| (name.to_owned(), kind))) {
        for body in [
            GUIDE.replace("\"upload\"", &format!("{name:?}")),
            ROW.replace("\"workspace_storage_file_added\"", &format!("{name:?}")),
        ] {
            let expected = kind.ok_or_else(|| PayloadError::UnknownEvent(name.clone()));
            assert_eq!(parse(body.as_bytes()).map(|event| event.kind), expected, "{body}");
        }
    }
}

#[test]
fn ids_and_actors_come_in_several_ways() {
    for (calling_user, expected) in [
        ("\"98\"", Some("98")),
        ("98", Some("98")),
        ("18446744073709551615", Some("18446744073709551615")),
        (r#"{"id":"98","name":"Ada"}"#, Some("98")),
        (r#"{"name":"Ada","id":98}"#, Some("98")),
        (r#"{"name":"Ada"}"#, None),
        (r#"{"id":{"id":"98"}}"#, None),
        ("null", None),
        ("\"\"", None),
        ("\"Ada Lovelace\"", None),
        ("[98]", None),
        ("1e30", None),
        ("true", None),
    ] {
        let body = ROW.replace("\"9876543210987654321\"", calling_user);
        assert_eq!(parse(body.as_bytes()).unwrap().actor.as_deref(), expected, "{body}");
    }
    let numbers = ROW.replace("\"1234567890123456789\"", "1234567890123456789");
    assert_eq!(parse(numbers.as_bytes()).unwrap().workspace.as_str(), "1234567890123456789");
}

#[test]
fn the_form_is_recognised_by_its_keys() {
    // A key of the other form is like any unknown one, whatever its value is.
    let foreign = GUIDE.replace("{\"eventType\"", r#"{"created":{"a":[1]},"object_id":[],"eventType""#);
    assert_eq!(parse(foreign.as_bytes()), parse(GUIDE.as_bytes()));
    let foreign = ROW.replace("{\"event_id\"", r#"{"eventType":null,"timestamp":1.5,"event_id""#);
    assert_eq!(parse(foreign.as_bytes()), parse(ROW.as_bytes()));

    let deep =
        GUIDE.replace("{\"eventType\"", &format!("{{\"x\":{},\"eventType\"", nested("[", "]", 100_000)));
    assert_eq!(parse(deep.as_bytes()), parse(GUIDE.as_bytes()));

    assert_eq!(refusal(r#"{"eventType":"upload","event":"upload"}"#), PayloadError::TwoForms);
    assert_eq!(refusal("{}"), PayloadError::UnknownForm);
    assert_eq!(refusal(r#"{"eventType":null}"#), PayloadError::UnknownForm);
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    for body in [
        GUIDE.replace("{\"eventType\"", "{\"eventType\":\"modify\",\"eventType\""),
        GUIDE.replace("{\"eventType\"", "{\"eventType\":null,\"eventType\""),
        GUIDE.replace("{\"eventType\"", "{\"fileId\":\"a\",\"eventType\""),
        GUIDE.replace("{\"eventType\"", "{\"file\\u0049d\":\"a\",\"eventType\""),
        ROW.replace("{\"event_id\"", "{\"event_id\":\"a\",\"event_id\""),
        ROW.replace("\"9876543210987654321\"", r#"{"id":1,"id":2}"#),
    ] {
        let error = refusal(&body).to_string();
        assert!(error.contains("duplicate field"), "{body}: {error}");
    }
}

#[test]
fn unusable_bodies_say_why() {
    for (body, expected) in [
        (GUIDE.replace("evt-1", "a/b"), "field eventId"),
        (GUIDE.replace("\"upload\"", "\"workspace.member_added\""), "is not about a file"),
        (GUIDE.replace("\"fileId\"", "\"fileid\""), "field fileId is missing"),
        (GUIDE.replace("\"evt-1\"", "1.5"), "field eventId is a number that is not a 64-bit integer"),
        (GUIDE.replace("\"upload\"", "[1,2]"), "field eventType is a list"),
        (ROW.replace("\"object_id\"", "\"objectId\""), "field object_id is missing"),
        (ROW.replace("\"1234567890123456789\"", "{\"id\":\"1\"}"), "field workspace_id is an object"),
        (ROW.replace("\"1234567890123456789\"", "12345678901234567890123"), "not a 64-bit integer"),
        (ROW.replace("\"workspace_id\"", "\"share_id\""), "is about a file of a share"),
        (GUIDE.replace("beach", "\\ud800"), "not a Fast.io event"),
        (format!("{GUIDE}x"), "trailing characters"),
        (GUIDE.replace("\"9876543210987654321\"", &nested(r#"{"id":"#, "}", 200)), "recursion limit"),
        ("[]".to_owned(), "not a JSON object"),
        ("null".to_owned(), "not a JSON object"),
        ("\"secret\"".to_owned(), "not a JSON object"),
        (String::new(), "not a JSON object"),
    ] {
        let error = refusal(&body).to_string();
        assert!(error.contains(expected), "{body}: {error}");
    }
    // Not UTF-8, also where nobody looks.
    for field in [&b"\"eventType\":\"\xff\","[..], b"\"x\":\"\xff\",", b"\"\xff\":1,"] {
        let body = [b"{", field, &GUIDE.as_bytes()[1..]].concat();
        assert!(matches!(parse(&body), Err(PayloadError::Malformed(_))), "{}", body.escape_ascii());
    }
}

#[test]
fn hints_that_cannot_be_read_cost_no_event() {
    for (replace, by) in [
        ("\"beach.jpg\"", "true"),
        ("\"2026-02-14T10:30:00Z\"", "1791201600.123"),
        ("\"9876543210987654321\"", "[1]"),
    ] {
        assert!(GUIDE.contains(replace));
        let event = parse(GUIDE.replace(replace, by).as_bytes()).unwrap();
        assert_eq!(event.id.as_str(), "evt-1");
    }
    assert_eq!(parse(GUIDE.replace("\"beach.jpg\"", "true").as_bytes()).unwrap().file_name, None);
}
