//! What the vector file (`tests/vectors/signatures.json`) does not say: see `tests/signature_vectors.rs` for that.

mod properties;

use super::*;

const SECRET: &[u8] = b"your_secret_your_secret";
const BODY: &[u8] = br#"{"eventType":"upload"}"#;

fn secret(bytes: impl AsRef<[u8]>) -> SigningSecret {
    SigningSecret::new(bytes).unwrap()
}

fn all() -> [Scheme; 3] {
    [
        Scheme::BodyHex(BodyHex::default()),
        Scheme::StampedBase64(StampedBase64::default()),
        Scheme::StampedHex(StampedHex::default()),
    ]
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn now() -> Timestamp {
    at(1_791_000_000)
}

fn verifier(scheme: &Scheme, secrets: &[&[u8]]) -> Verifier {
    Verifier::new(scheme.clone(), secrets.iter().map(secret)).unwrap()
}

fn verify(scheme: &Scheme, headers: &HeaderMap) -> Result<(), SignatureError> {
    verifier(scheme, &[SECRET]).verify(headers, BODY, now())
}

fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
    let value = |bytes| http::HeaderValue::from_bytes(bytes).unwrap();
    pairs.iter().map(|(name, bytes)| (http::HeaderName::from_static(name), value(bytes))).collect()
}

#[test]
fn every_scheme_accepts_its_own_signature_and_no_other() {
    for signed_as in all() {
        let headers = signed_as.sign(&secret(SECRET), BODY, now());
        for scheme in all() {
            let expected = scheme == signed_as;
            assert_eq!(verify(&scheme, &headers).is_ok(), expected, "{signed_as:?} as {scheme:?}");
        }
        assert_eq!(verify(&signed_as, &HeaderMap::new()), Err(SignatureError::Missing));
    }
}

#[test]
fn nothing_in_a_request_changes_the_scheme() {
    let body_only = all()[0].sign(&secret(SECRET), BODY, now());
    let value = body_only["fastio-signature"].as_bytes();
    // A body-only signature in the place of a stamped one, alone and beside what the stamped scheme asks for.
    let [_, base64, hex] = all();
    assert_eq!(verify(&base64, &headers(&[("fastio-signature", value)])), Err(SignatureError::Malformed));
    let beside = [b"t=1791000000,", value].concat();
    assert_eq!(verify(&base64, &headers(&[("fastio-signature", &beside)])), Err(SignatureError::Malformed));
    let as_v1 = [b"t=1791000000,v1=", value.strip_prefix(b"sha256=").unwrap()].concat();
    assert_eq!(verify(&base64, &headers(&[("fastio-signature", &as_v1)])), Err(SignatureError::Mismatch));
    assert_eq!(verify(&hex, &headers(&[("x-fastio-signature", value)])), Err(SignatureError::Missing));
    let stamped = headers(&[("x-fastio-signature", value), ("x-fastio-timestamp", b"1791000000")]);
    assert_eq!(verify(&hex, &stamped), Err(SignatureError::Mismatch));
}

#[test]
fn a_replay_ends_with_the_tolerance() {
    for scheme in &all()[1..] {
        let headers = scheme.sign(&secret(SECRET), BODY, now());
        let verifier = verifier(scheme, &[SECRET]);
        for (offset, expected) in [
            (-301, Err(SignatureError::Stale)),
            (-300, Ok(())),
            (0, Ok(())),
            (300, Ok(())),
            (301, Err(SignatureError::Stale)),
        ] {
            let then = at(now().as_second() + offset);
            assert_eq!(verifier.verify(&headers, BODY, then), expected, "{scheme:?} {offset}");
        }
        assert_eq!(verifier.verify(&headers, BODY, Timestamp::MIN), Err(SignatureError::Stale));
        assert_eq!(verifier.verify(&headers, BODY, Timestamp::MAX), Err(SignatureError::Stale));
    }
}

#[test]
fn a_long_list_costs_a_bounded_amount() {
    for (bad, scheme) in [("sha256=", &all()[0]), ("v1=", &all()[1])] {
        let bad = format!("{bad}{},", "0".repeat(64));
        let good = scheme.sign(&secret(SECRET), BODY, now());
        let good = good["fastio-signature"].to_str().unwrap();
        for (length, expected) in
            [(MAX_SIGNATURES - 1, Ok(())), (MAX_SIGNATURES, Err(SignatureError::Mismatch))]
        {
            let list = format!("{}{good}", bad.repeat(length));
            assert_eq!(verify(scheme, &headers(&[("fastio-signature", list.as_bytes())])), expected);
        }
    }
}

#[test]
fn every_byte_of_the_signature_counts() {
    for scheme in all() {
        let good = scheme.sign(&secret(SECRET), BODY, now());
        for (name, value) in &good {
            for position in 0..value.len() {
                let mut bytes = value.as_bytes().to_vec();
                bytes[position] = if bytes[position] == b'1' { b'2' } else { b'1' };
                let mut changed = good.clone();
                changed.insert(name.clone(), http::HeaderValue::from_bytes(&bytes).unwrap());
                assert!(verify(&scheme, &changed).is_err(), "{name} {position}");
            }
        }
    }
}

#[test]
fn two_secrets_are_live_during_a_rotation() {
    let (old, new): (&[u8], &[u8]) =
        (b"the-old-secret-of-32-characters!", b"the-new-secret-of-32-characters!");
    for scheme in all() {
        let both = verifier(&scheme, &[old, new]);
        for live in [old, new] {
            assert_eq!(both.verify(&scheme.sign(&secret(live), BODY, now()), BODY, now()), Ok(()));
        }
        let other = scheme.sign(&secret(SECRET), BODY, now());
        assert_eq!(both.verify(&other, BODY, now()), Err(SignatureError::Mismatch));
    }
}

#[test]
fn what_would_be_open_or_guessable_is_refused() {
    use SecretEncoding::{Base64, Hex, Raw, Whsec};
    let refusal = |text: &str, encoding| SigningSecret::decode(text, encoding).unwrap_err();
    for encoding in SecretEncoding::ALL {
        assert_eq!(refusal("", encoding), SecretError::Empty);
    }
    for (text, encoding, expected) in [
        ("fifteen-letters", Raw, SecretError::TooShort(15)),
        ("000102030405060708090a0b0c0d0e", Hex, SecretError::TooShort(15)),
        ("AAAAAAAAAAAAAAAAAAAA", Base64, SecretError::TooShort(15)),
        ("whsec_", Whsec, SecretError::Empty),
        ("whsec_AAAA", Whsec, SecretError::TooShort(3)),
        ("000102030405060708090a0b0c0d0e0g", Hex, SecretError::Encoding(Hex)),
        ("000102030405060708090a0b0c0d0e0", Hex, SecretError::Encoding(Hex)),
        ("sixteen-letters!", Base64, SecretError::Encoding(Base64)),
        ("C2FVsBQIhrscChlQIMV-b5sSYspob7oD", Base64, SecretError::Encoding(Base64)),
        ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", Whsec, SecretError::Encoding(Whsec)),
        ("whsec_sixteen-letters!", Whsec, SecretError::Encoding(Whsec)),
    ] {
        let error = refusal(text, encoding);
        assert_eq!(error, expected, "{text} as {encoding:?}");
        assert!(!error.to_string().contains(text), "{error}");
    }
    assert!(refusal("short", Raw).to_string().contains("openssl rand"));
    assert!(SigningSecret::new("sixteen-letters!").is_ok());

    assert_eq!(Verifier::new(all()[0].clone(), []).unwrap_err(), VerifierError::NoSecret);
    let three = std::iter::repeat_with(|| secret(SECRET)).take(3);
    assert_eq!(Verifier::new(all()[0].clone(), three).unwrap_err(), VerifierError::TooManySecrets(3));
}

#[test]
fn secrets_are_the_same_however_they_are_written() {
    let bytes: Vec<u8> = (0xe0..=0xff).collect();
    for (text, encoding) in [
        ("e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", SecretEncoding::Hex),
        ("E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF", SecretEncoding::Hex),
        ("4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8=", SecretEncoding::Base64),
        ("4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8", SecretEncoding::Base64),
        ("whsec_4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8=", SecretEncoding::Whsec),
    ] {
        assert_eq!(SigningSecret::decode(text, encoding).unwrap().expose(), bytes, "{text}");
        assert_eq!(SigningSecret::decode(text, SecretEncoding::Raw).unwrap().expose(), text.as_bytes());
    }
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let name = || http::HeaderName::from_static("x-signature");
    assert!(StampedHex::new(name(), name(), Tolerance::default()).is_err());
    assert!(Tolerance::from_seconds(0).is_err());
    assert!(Tolerance::from_seconds(Tolerance::MAX_SECONDS + 1).is_err());
    assert_eq!(Tolerance::from_seconds(300).unwrap(), Tolerance::default());
    assert!("base32".parse::<SecretEncoding>().is_err());
    assert!(SecretEncoding::ALL.iter().all(|encoding| encoding.as_str().parse() == Ok(*encoding)));
}

#[test]
fn nothing_shows_the_secret() {
    assert_eq!(format!("{:?}", secret(SECRET)), "SigningSecret([REDACTED])");
    let verifier = verifier(&all()[0], &[SECRET]);
    assert_eq!(format!("{verifier:?}"), "Verifier { scheme: \"body-hex\", secrets: 1 }");
}
