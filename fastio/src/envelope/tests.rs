use std::time::{Duration, SystemTime};

use super::*;
use crate::{Error, ErrorClass, HumanReason};

fn head(status: u16) -> Head {
    Head { status, request_id: Some("req-7".to_owned()), retry_at: None, by_token: false }
}

fn error(status: u16, body: &str) -> Error {
    Error::new("test", open(&head(status), body.as_bytes()).unwrap_err())
}

#[test]
fn every_form_of_success_gives_the_same_fields() {
    for body in [
        r#"{"result":true,"id":"1","current_api_version":"1.0"}"#,
        r#"{"result":"yes","id":"1"}"#,
        r#"{"result":true,"response":{"id":"1"}}"#,
        r#"{"result":"yes","response":{"id":"1"},"current_api_version":"1.0"}"#,
    ] {
        for status in [200, 201, 202] {
            let fields = open(&head(status), body.as_bytes()).unwrap();
            assert_eq!(fields.get("id"), Some(&Value::from("1")), "{body}");
        }
    }
    // A field that happens to have that name is left alone.
    let fields = open(&head(200), br#"{"result":true,"response":"activity"}"#).unwrap();
    assert_eq!(fields.get("response"), Some(&Value::from("activity")));
}

#[test]
fn every_form_of_an_error_is_read() {
    for (body, code, reason, text) in [
        (
            r#"{"result":false,"error":{"code":1609,"text":"Not found","documentation_url":"https://x"}}"#,
            Some(1609),
            None,
            Some("Not found"),
        ),
        (
            r#"{"result":"no","error":{"code":"1609","message":"Not found"}}"#,
            Some(1609),
            None,
            Some("Not found"),
        ),
        (
            r#"{"result":false,"error":{"error_code":133123,"text":"Gone","reason":"deleted"}}"#,
            Some(133_123),
            Some("deleted"),
            Some("Gone"),
        ),
        (
            r#"{"result":false,"error":{"code":1688,"text":"No","params":{"reason":"credits_exhausted","left":0}}}"#,
            Some(1688),
            Some("credits_exhausted"),
            Some("No"),
        ),
        (r#"{"result":false,"error_message":"flat","error_id":"1605"}"#, Some(1605), None, Some("flat")),
        (r#"{"result":false,"response":{"error":{"code":1660}}}"#, Some(1660), None, None),
        (r#"{"result":false,"error":"plain words"}"#, None, None, Some("plain words")),
        (
            r#"{"result":"no","error":{"code":"E","error_code":1605,"text":"","message":"m"}}"#,
            Some(1605),
            None,
            Some("m"),
        ),
        (
            r#"{"result":false,"error":{"code":1,"reason":"outer","params":{"reason":""}}}"#,
            Some(1),
            Some("outer"),
            None,
        ),
        (r#"{"result":false}"#, None, None, None),
        (r#"{"error":{"code":-1,"text":7}}"#, None, None, None),
        (r#"{"result":false,"error":{"code":"many","text":"a\r\nb"}}"#, None, None, Some("a  b")),
    ] {
        let error = error(404, body);
        assert_eq!((error.code(), error.reason(), error.text()), (code, reason, text), "{body}");
        assert_eq!(error.status(), Some(404));
        assert_eq!(error.request_id(), Some("req-7"));
    }
}

#[test]
fn a_validation_error_names_the_fields() {
    let error = error(
        406,
        r#"{"result":false,"error":{"code":1605,"text":"Invalid input","resource":"POST Upload [size]","params":[
            {"name":"size","kind":"missing","code":1,"message":"required","expected_type":"int"},
            {"name":"folder_id","kind":"invalid"},{"name":"order","kind":"invalid","expected_type":"int"},"odd",{"kind":"missing"}]}}"#,
    );
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert_eq!(
        error.to_string(),
        "Fast.io test: Invalid input (HTTP 406, code 1605): size is missing (required), folder_id is invalid, order is invalid (expected int) [request req-7]"
    );
    let names: Vec<_> = error.refusal().unwrap().fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["size", "folder_id", "order"]);
    assert_eq!(error.refusal().unwrap().resource.as_deref(), Some("POST Upload [size]"));
}

#[test]
fn a_version_conflict_tells_the_current_version() {
    let error = error(
        409,
        r#"{"result":false,"error":{"code":1660,"text":"Stale","params":{"reason":"conflict_version_mismatch",
            "current_version_id":"3abcd-efghi"}}}"#,
    );
    assert_eq!(error.class(), ErrorClass::Conflict);
    assert_eq!(error.refusal().unwrap().current_version, Some("3abcdefghi".parse().unwrap()));
}

#[test]
fn a_failure_inside_a_success_status_is_a_failure() {
    let gone = error(200, r#"{"result":false,"error":{"code":1609,"text":"Not found"}}"#);
    assert_eq!(gone.class(), ErrorClass::Gone);
    let credits = error(200, r#"{"result":"no","error":{"code":1696,"text":"No"}}"#);
    assert_eq!(credits.class(), ErrorClass::NeedsHuman(HumanReason::SubscriptionRequired));
}

#[test]
fn what_is_not_an_envelope_is_broken() {
    for (body, problem) in [
        ("", "it is empty"),
        ("<html>Bad gateway</html>", "it is not JSON"),
        ("[1]", "not an object"),
        ("{\"result\":true", "it is not JSON"),
        ("{\"id\":1}", "neither true nor false"),
        ("{\"result\":1}", "neither true nor false"),
        ("{\"result\":\"maybe\"}", "neither true nor false"),
        ("\u{feff}{}", "it is not JSON"),
    ] {
        let error = error(200, body);
        assert_eq!(error.class(), ErrorClass::Broken, "{body}");
        assert!(error.to_string().contains(problem), "{error}");
    }
    assert!(open(&head(200), b"\xff\xfe").is_err());
    let deep = "[".repeat(10_000);
    assert_eq!(error(200, &deep).class(), ErrorClass::Broken);
}

#[test]
fn a_404_that_is_not_the_service_speaking_does_not_mean_gone() {
    for body in ["<html>404</html>", "", r#"{"message":"no Route matched with those values"}"#] {
        assert_eq!(error(404, body).class(), ErrorClass::Broken, "{body}");
    }
    for body in ["<html>", "", r#"{"message":"no"}"#] {
        for status in [500, 502, 503, 504, 408] {
            assert_eq!(error(status, body).class(), ErrorClass::Retry { after: None });
        }
        assert!(matches!(error(429, body).class(), ErrorClass::WaitUntil(_)));
        assert_eq!(error(401, body).class(), ErrorClass::NeedsHuman(HumanReason::KeyRejected));
        assert_eq!(error(413, body).class(), ErrorClass::Invalid);
        assert_eq!(error(403, body).class(), ErrorClass::Broken);
    }
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    let error = error(302, "");
    assert_eq!(error.class(), ErrorClass::Broken);
    assert!(error.to_string().contains("check the base URL"), "{error}");
}

#[test]
fn a_limit_carries_its_moment() {
    let at = SystemTime::now() + Duration::from_secs(20);
    let head = Head { retry_at: Some(at), ..head(429) };
    let kind = open(&head, br#"{"result":false,"error":{"code":1671,"text":"Too many"}}"#).unwrap_err();
    assert_eq!(Error::new("test", kind).class(), ErrorClass::WaitUntil(at));
}

#[test]
fn texts_are_bounded() {
    let long = "x".repeat(100_000);
    let error = error(406, &format!(r#"{{"result":false,"error":{{"code":1605,"text":"{long}"}}}}"#));
    assert_eq!(error.text().unwrap().len(), 500);
}
