use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

use super::*;
use crate::ErrorClass;

/// JSON of the kind that the service sends, rightly or wrongly: its own names with values of any type.
fn json_like() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        // Halves, which are the same after being written and read.
        any::<i32>()
            .prop_map(|number| Number::from_f64(f64::from(number) / 2.0).map_or(Value::Null, Value::Number)),
        prop::sample::select(vec![
            "",
            "yes",
            "no",
            "1605",
            "root",
            "2abc-def",
            "2026-05-07 09:08:07 UTC",
            "stored"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = [
        "result",
        "response",
        "error",
        "code",
        "text",
        "message",
        "params",
        "reason",
        "name",
        "kind",
        "error_code",
        "error_message",
        "error_id",
        "id",
        "type",
        "nodes",
        "items",
        "pagination",
        "has_more",
        "next_cursor",
        "files",
        "events",
        "event_id",
        "event",
        "activity",
        "lastactivity",
        "changes",
        "cursor",
        "chunks",
        "session",
        "status",
        "facts",
        "versions",
        "size",
        "hash",
        "crc32c",
        "virus",
        "origin",
        "deleted",
        "created",
        "token",
        "node",
        "node_id",
        "errors",
        "comments",
        "properties",
        "webhooks",
        "webhook",
        "url",
        "outbound_webhook_subscriptions",
        "outbound_webhook_subscription",
        "secret",
        "event_type_subscriptions",
        "chunk_size",
    ];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "[a-z]{1,6}"]
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        prop::sample::select(vec![200, 201, 202, 302, 401, 402, 403, 404, 406, 409, 410, 429, 500, 503]),
        100..=599_u16
    ]
}

fn made(status: u16, body: &str) -> Reply {
    Made::of(format!("{status}\nx-ve-reqid: req-3\n\n{body}").as_bytes()).reply()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        envelope(&bytes);
    }

    #[test]
    fn any_head_is_read(head in "[1-9][0-9]{2}\n([a-z-]{1,12}: .{0,24}\n){0,3}\n", body in ".{0,64}") {
        envelope(format!("{head}{body}").as_bytes());
    }

    #[test]
    fn any_json_is_read(status in status(), body in json_like()) {
        envelope(format!("{status}\n\n{body}").as_bytes());
    }

    #[test]
    fn only_a_success_that_says_so_is_one(status in status(), body in json_like()) {
        let said = |result: Option<&Value>| {
            result.is_some_and(|result| {
                *result == Value::Bool(true) || result.as_str().is_some_and(|word| word.eq_ignore_ascii_case("yes"))
            })
        };
        let reply = made(status, &body.to_string());
        match reply.fields() {
            Ok(_) => prop_assert!((200..300).contains(&status) && said(body.get("result")), "{status} {body}"),
            Err(error) => {
                prop_assert!(!((200..300).contains(&status) && said(body.get("result"))), "{status} {body}");
                prop_assert_eq!(error.status(), Some(status));
                prop_assert_eq!(error.request_id(), Some("req-3"));
                prop_assert!(error.text().is_none_or(|text| text.chars().count() <= 500));
            }
        }
    }

    #[test]
    fn a_success_keeps_its_fields_in_every_wrapping(fields in prop::collection::vec((name(), json_like()), 0..5)) {
        let mut fields: Map<String, Value> = fields.into_iter().collect();
        fields.retain(|name, _| name != "result" && name != "response");
        let mut flat = fields.clone();
        flat.insert("result".to_owned(), "yes".into());
        let opened = made(200, &Value::Object(flat.clone()).to_string()).fields().unwrap();
        prop_assert_eq!(&opened, &flat);
        let nested = json!({"result": true, "response": fields});
        prop_assert_eq!(made(200, &nested.to_string()).fields().unwrap(), fields);
    }

    #[test]
    fn an_echoed_key_is_never_shown(status in status(), before in ".{0,20}", after in ".{0,20}") {
        let echo = format!("{before}a secret key{after}");
        let body = json!({"result": false, "error": {"text": echo, "reason": echo, "resource": echo, "code": 1605,
            "params": [{"name": echo, "kind": "invalid", "message": echo, "expected_type": echo}]}});
        let error = made(status, &body.to_string()).fields().unwrap_err();
        prop_assert!(!show(&error).contains("a secret key"));
    }

    #[test]
    fn a_pause_is_never_longer_than_an_hour(value in prop_oneof!["[0-9]{1,25}", ".{0,40}"]) {
        let bytes = format!("429\nretry-after: {value}\nx-ve-limit-expires: {value}\n\n{{}}");
        let made = Made::of(bytes.as_bytes());
        let error = made.reply().fields().unwrap_err();
        if made.status == StatusCode::TOO_MANY_REQUESTS {
            let waits = matches!(error.class(), ErrorClass::WaitUntil(_));
            prop_assert!(waits);
            prop_assert!(error.retry_after().unwrap() <= Duration::from_hours(1));
        }
    }
}

/// The inputs that fuzzing begins with.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/envelope");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn every_reading_succeeds_with_some_seed() {
    let replies: Vec<_> = seeds().iter().map(|seed| Made::of(seed).reply()).collect();
    let readings = || replies.iter().flat_map(every_reading);
    let all: BTreeSet<_> = readings().map(|(name, _)| name).collect();
    let read: BTreeSet<_> = readings().filter(|(_, reading)| reading.is_ok()).map(|(name, _)| name).collect();
    assert_eq!(read, all);
}

#[test]
fn a_made_reply_has_a_head_if_it_has_the_form_of_one() {
    let made = Made::of(b"429\r\nRetry-After: 5\r\nx-ve-reqid: a:b\r\n\r\n{}");
    assert_eq!((made.status.as_u16(), made.by_token, made.body), (429, false, b"{}".as_slice()));
    assert_eq!(made.headers["retry-after"], "5");
    assert_eq!(made.headers["x-ve-reqid"], "a:b");
    let token = Made::of(b"901\n\n");
    assert_eq!((token.status.as_u16(), token.by_token), (401, true));
    for body in ["{}", "", "200", "200\n", "200\nno colon\n\n", "99\n\n", "2000\n\n"] {
        let made = Made::of(body.as_bytes());
        assert_eq!((made.status.as_u16(), made.body), (200, body.as_bytes()), "{body:?}");
    }
}
