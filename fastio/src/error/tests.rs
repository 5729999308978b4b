use std::time::{Duration, SystemTime};

use super::*;

fn refused(status: u16, code: Option<u32>, reason: Option<&str>) -> Error {
    let refusal = Refusal {
        status,
        code,
        reason: reason.map(str::to_owned),
        text: Some("words of the service".to_owned()),
        request_id: Some("req-9".to_owned()),
        ..Refusal::default()
    };
    Error::new("storage.details", ErrorKind::Refused(Box::new(refusal)))
}

#[test]
fn a_secret_is_taken_out_whole_and_in_part() {
    let secret = "eyJhbGciOi.secret-token.x";
    for (text, clean) in [
        ("the token eyJhbGciOi.secret-token.x has expired", "the token [REDACTED] has expired"),
        // Texts are cut to a length before anybody looks for secrets in them.
        ("the token eyJhbGciOi.secret-tok", "the token [REDACTED]"),
        ("eyJhbGciOi.secret-token.x and eyJhbG", "[REDACTED] and [REDACTED]"),
        ("the key", "the key"),
        ("a token of the form eyJ", "a token of the form eyJ"),
    ] {
        let refusal = Refusal { text: Some(text.to_owned()), ..Refusal::default() };
        let mut kind = ErrorKind::Refused(Box::new(refusal));
        kind.redact(secret);
        let error = Error::new("test", kind);
        assert_eq!(error.text(), Some(clean));
        assert_eq!(error.text().map(|text| text.contains("secret")), Some(false));
    }
}

#[test]
fn each_status_and_code_has_its_class() {
    use ErrorClass::{Broken, Conflict, Gone, Invalid, NeedsHuman};
    use HumanReason as Why;
    let retry = ErrorClass::Retry { after: None };
    for (status, code, reason, class) in [
        (401, Some(10_011), None, NeedsHuman(Why::KeyRejected)),
        (401, None, None, NeedsHuman(Why::KeyRejected)),
        (402, Some(1688), None, NeedsHuman(Why::SubscriptionRequired)),
        (402, Some(1688), Some("credits_exhausted"), NeedsHuman(Why::CreditsExhausted)),
        (402, None, Some("trial_conversion_pending"), NeedsHuman(Why::TrialEnded)),
        (403, Some(10_767), None, NeedsHuman(Why::AdminScopeMissing)),
        (403, Some(10_770), None, NeedsHuman(Why::KeyReadOnly)),
        (403, Some(10_545), None, NeedsHuman(Why::NotAMember)),
        (403, Some(10_768), None, NeedsHuman(Why::ScopeTooWide)),
        (403, Some(10_769), None, NeedsHuman(Why::AccountScopeMissing)),
        (403, Some(10_587), None, NeedsHuman(Why::EmailUnverified)),
        (403, Some(10_175), None, NeedsHuman(Why::SecondFactorMissing)),
        (403, Some(135_626), None, NeedsHuman(Why::NothingReadable)),
        (403, Some(1695), None, NeedsHuman(Why::UpgradeRequired)),
        (403, Some(1680), Some("cloud_sync_read_only"), NeedsHuman(Why::CloudSync)),
        (403, Some(1680), Some("credential_policy_ip"), NeedsHuman(Why::CredentialPolicy)),
        (403, Some(1697), None, NeedsHuman(Why::GeoRestricted)),
        (403, Some(1680), None, NeedsHuman(Why::Forbidden)),
        (404, Some(1609), None, Gone),
        (404, Some(133_123), None, Gone),
        (410, None, None, Gone),
        (404, Some(9992), None, Broken),
        (410, Some(9992), None, Broken),
        (409, Some(1660), None, Conflict),
        (409, Some(10_779), None, Conflict),
        (200, Some(10_779), None, Conflict),
        (200, Some(1609), None, Gone),
        (406, Some(1605), None, Invalid),
        (406, Some(10_778), None, Invalid),
        (406, Some(146_950), None, Gone),
        (413, None, None, Invalid),
        (500, None, None, retry.clone()),
        (503, None, Some("storage_unavailable"), retry.clone()),
        (406, Some(146_256), None, retry.clone()),
        (501, None, None, Broken),
        (200, Some(1650), None, NeedsHuman(Why::KeyRejected)),
        (200, Some(1685), None, NeedsHuman(Why::UpgradeRequired)),
        (200, None, None, Broken),
    ] {
        assert_eq!(refused(status, code, reason).class(), class, "{status} {code:?} {reason:?}");
    }
}

#[test]
fn another_way_is_worth_looking_for_where_only_this_one_is_closed() {
    for (status, code) in
        [(403, Some(10_767)), (403, None), (404, Some(1609)), (404, Some(9992)), (410, None)]
    {
        assert!(refused(status, code, None).is_closed_to_key(), "{status} {code:?}");
    }
    for (status, code) in
        [(401, Some(10_011)), (402, Some(1688)), (406, Some(1605)), (429, None), (500, None)]
    {
        assert!(!refused(status, code, None).is_closed_to_key(), "{status} {code:?}");
    }
}

#[test]
fn a_limit_without_a_moment_waits_a_minute() {
    let wait = refused(429, Some(1671), None).retry_after().unwrap();
    assert!(wait > Duration::from_secs(58) && wait <= Duration::from_mins(1), "{wait:?}");
}

#[test]
fn retry_after_of_an_outage_is_kept() {
    let refusal = Refusal {
        status: 503,
        retry_at: Some(SystemTime::now() + Duration::from_secs(5)),
        ..Refusal::default()
    };
    let error = Error::new("test", ErrorKind::Refused(Box::new(refusal)));
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(3) && wait <= Duration::from_secs(5), "{wait:?}");
}

#[test]
fn a_human_reads_what_to_do() {
    assert_eq!(
        refused(402, Some(1688), Some("credits_exhausted")).to_string(),
        "Fast.io storage.details: the organisation has used up its credits: wait for the next period or upgrade the \
         plan (HTTP 402, code 1688, reason credits_exhausted) [request req-9]"
    );
    assert_eq!(
        refused(404, Some(133_123), None).to_string(),
        "Fast.io storage.details: words of the service (HTTP 404, code 133123) [request req-9]"
    );
}

#[test]
fn a_refused_token_is_not_a_refused_key() {
    let by_token = |status, code| {
        let refusal = Refusal { status, code, by_token: true, ..Refusal::default() };
        Error::new("storage.read", ErrorKind::Refused(Box::new(refusal)))
    };
    for error in [by_token(401, Some(10_011)), by_token(403, Some(1680)), by_token(401, None)] {
        assert!(error.is_token_refused());
        assert_eq!(error.class(), ErrorClass::Retry { after: None });
        assert!(error.to_string().contains("download token"), "{error}");
    }
    let geo = by_token(403, Some(1697));
    assert!(!geo.is_token_refused());
    assert_eq!(geo.class(), ErrorClass::NeedsHuman(HumanReason::GeoRestricted));
}

#[test]
fn an_echoed_secret_is_taken_out() {
    let mut kind = ErrorKind::Refused(Box::new(Refusal {
        status: 401,
        text: Some("token abc-secret-def is unknown".to_owned()),
        fields: vec![InvalidField {
            name: "abc-secret-def".to_owned(),
            missing: false,
            message: Some("abc-secret-def is unknown".to_owned()),
            expected: None,
        }],
        ..Refusal::default()
    }));
    kind.redact("abc-secret-def");
    let error = Error::new("test", kind);
    assert_eq!(error.text(), Some("token [REDACTED] is unknown"));
    assert!(!format!("{error:?}").contains("abc-secret-def"));
}

#[test]
fn an_argument_error_names_the_field() {
    let error = Error::argument("upload.small", "name", "is empty: give one");
    assert_eq!(error.to_string(), "Fast.io upload.small: name: is empty: give one");
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert_eq!(error.status(), None);
}
