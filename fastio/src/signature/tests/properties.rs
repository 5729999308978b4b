use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        "sha256=",
        "t=",
        "v1=",
        ",",
        " ",
        "\t",
        "=",
        "0",
        "1791000000",
        "+1",
        "00",
        "ff",
        "é",
        "AAAA",
    ]);
    let digits = prop_oneof![
        prop::collection::vec(any::<u8>(), 32).prop_map(|bytes| hex::encode(bytes).into_bytes()),
        prop::collection::vec(any::<u8>(), 0..80),
    ];
    let part = prop_oneof![3 => parts.prop_map(|part| part.as_bytes().to_vec()), 1 => digits];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Several values of each header that any scheme looks at; what HTTP does not allow in a value is left out.
fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let name = prop::sample::select(vec!["fastio-signature", "x-fastio-signature", "x-fastio-timestamp"]);
    prop::collection::vec((name, value()), 0..4).prop_map(|pairs| {
        let value = |bytes: Vec<u8>| http::HeaderValue::from_bytes(&bytes).ok();
        let mut headers = HeaderMap::new();
        for (name, bytes) in pairs {
            if let Some(value) = value(bytes) {
                headers.append(name, value);
            }
        }
        headers
    })
}

fn scheme() -> impl Strategy<Value = Scheme> {
    prop::sample::select(all().to_vec())
}

proptest! {
    #[test]
    fn who_has_no_secret_is_never_accepted(
        scheme in scheme(),
        headers in any_headers(),
        body in prop::collection::vec(any::<u8>(), 0..200),
        seconds in any::<i32>(),
    ) {
        // Without the secret a signature is right once in 2^256 tries.
        let verifier = verifier(&scheme, &[SECRET]);
        prop_assert!(verifier.verify(&headers, &body, at(seconds.into())).is_err());
    }

    #[test]
    fn what_is_signed_is_accepted_and_nothing_else_is(
        scheme in scheme(),
        key in prop::collection::vec(any::<u8>(), MIN_SECRET_LEN..100),
        body in prop::collection::vec(any::<u8>(), 0..200),
        seconds in 0..i64::from(i32::MAX),
        change in any::<prop::sample::Index>(),
        with in 1..=u8::MAX,
    ) {
        let (key, moment) = (secret(key), at(seconds));
        let headers = scheme.sign(&key, &body, moment);
        let verifier = Verifier::new(scheme, [key]).unwrap();
        prop_assert_eq!(verifier.verify(&headers, &body, moment), Ok(()));

        let mut longer = body.clone();
        longer.push(with);
        prop_assert_eq!(verifier.verify(&headers, &longer, moment), Err(SignatureError::Mismatch));
        if !body.is_empty() {
            let mut changed = body.clone();
            changed[change.index(body.len())] ^= with;
            prop_assert_eq!(verifier.verify(&headers, &changed, moment), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn secrets_survive_their_encodings(key in prop::collection::vec(any::<u8>(), MIN_SECRET_LEN..100)) {
        let decoded = SigningSecret::decode(hex::encode(&key), SecretEncoding::Hex).unwrap();
        prop_assert_eq!(decoded.expose(), &key[..]);
    }

    #[test]
    fn no_bytes_make_decoding_panic(text in prop::collection::vec(any::<u8>(), 0..100)) {
        for encoding in SecretEncoding::ALL {
            if let Ok(secret) = SigningSecret::decode(&text, encoding) {
                prop_assert!(secret.expose().len() >= MIN_SECRET_LEN);
            }
        }
    }
}
