use super::*;

/// Computed with Python's `hmac` module, which shares no code with ours.
const SECRET: &[u8] = b"your_secret_your_secret";
const BODY: &[u8] = br#"{"eventType":"upload"}"#;

fn verifier(secrets: &[&[u8]]) -> Verifier {
    Verifier::new(Scheme::GuideHex, secrets.iter().map(|secret| SigningSecret::new(secret).unwrap())).unwrap()
}

fn verify(header: impl AsRef<[u8]>, body: &[u8]) -> Result<(), SignatureError> {
    verifier(&[SECRET]).verify(Some(header.as_ref()), body)
}

fn good() -> String {
    sign(&SigningSecret::new(SECRET).unwrap(), BODY)
}

#[test]
fn published_vectors_are_reproduced() {
    let all_bytes: Vec<u8> = (0..=255).collect();
    // The last two are RFC 4231, test cases 3 and 6.
    let cases: [(&[u8], &[u8], &str); 6] = [
        (SECRET, b"", "a84e443c925a5026910ae737239458716978cf1f69c15cdf4aa3837d38003f27"),
        (SECRET, BODY, "f687c8d55b0d110b26f9c6b950015da7132cf7fb0b7d9f6b266ece846c0dfc0c"),
        (SECRET, &all_bytes, "4c3dec1cb8096207e710a3d9c011f1ea306bbb06608e223d8a3c2f9d005cf342"),
        (&[b'k'; 100], BODY, "392e9a08d6ed9e2796dedf394f4f87a4f67dc531a59fb872980617e626da765a"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for (secret, body, digest) in cases {
        let header = format!("sha256={digest}");
        assert_eq!(sign(&SigningSecret::new(secret).unwrap(), body), header);
        assert_eq!(verifier(&[secret]).verify(Some(header.as_bytes()), body), Ok(()));
    }
}

#[test]
fn the_body_counts_byte_by_byte() {
    for body in [&b"{\"eventType\":\"upload\"} "[..], b"{\"eventType\":\"Upload\"}", b"", b"\xff"] {
        assert_eq!(verify(good(), body), Err(SignatureError::Mismatch));
    }
    // Not UTF-8: signed as it is.
    let secret = SigningSecret::new(SECRET).unwrap();
    assert_eq!(verify(sign(&secret, b"\xff"), b"\xff"), Ok(()));
    assert_eq!(verify(sign(&secret, "\u{fffd}".as_bytes()), b"\xff"), Err(SignatureError::Mismatch));
}

#[test]
fn one_good_signature_in_a_list_is_enough() {
    let (good, bad) = (good(), format!("sha256={}", "0".repeat(64)));
    for header in [
        good.clone(),
        format!("{bad},{good}"),
        format!("{good},{bad}"),
        format!("garbage, {good}"),
        format!(" ,, {good} ,\t"),
        good.to_uppercase().replace("SHA256", "sha256"),
    ] {
        assert_eq!(verify(&header, BODY), Ok(()), "{header}");
    }
}

#[test]
fn hostile_headers_are_answered_and_nothing_else() {
    let good = good();
    let digits = good.strip_prefix("sha256=").unwrap();
    let malformed: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"sha256=".to_vec(),
        b"sha256".to_vec(),
        b"=".to_vec(),
        b",".repeat(10_000),
        digits.as_bytes().to_vec(),
        format!("SHA256={digits}").into_bytes(),
        format!("sha1={digits}").into_bytes(),
        format!("sha256 = {digits}").into_bytes(),
        format!("sha256={}", &digits[..62]).into_bytes(),
        format!("sha256={}", &digits[..63]).into_bytes(),
        format!("sha256={digits}00").into_bytes(),
        format!("sha256=0x{digits}").into_bytes(),
        format!("sha256={}g", &digits[..63]).into_bytes(),
        format!("sha256={digits};v=1").into_bytes(),
        format!("sha256=\"{digits}\"").into_bytes(),
        format!("sha256={}\u{ff10}", &digits[..63]).into_bytes(),
        format!("sha256={digits}\0").into_bytes(),
        vec![0xff; 64],
        b"v1,".to_vec(),
        b"t=1,v1=AAAA".to_vec(),
    ];
    for header in malformed {
        assert_eq!(verify(&header, BODY), Err(SignatureError::Malformed), "{}", header.escape_ascii());
    }
    assert_eq!(verify(format!("sha256={}", "0".repeat(64)), BODY), Err(SignatureError::Mismatch));
    assert_eq!(verifier(&[SECRET]).verify(None, BODY), Err(SignatureError::Missing));
}

#[test]
fn a_long_list_costs_a_bounded_amount() {
    let bad = format!("sha256={},", "0".repeat(64));
    let header = format!("{}{}", bad.repeat(8), good());
    assert_eq!(verify(header, BODY), Err(SignatureError::Mismatch));
    let header = format!("{}{}", bad.repeat(7), good());
    assert_eq!(verify(header, BODY), Ok(()));
}

#[test]
fn every_byte_of_the_signature_counts() {
    let good = good().into_bytes();
    for at in "sha256=".len()..good.len() {
        let mut header = good.clone();
        header[at] = if header[at] == b'0' { b'1' } else { b'0' };
        assert_eq!(verify(&header, BODY), Err(SignatureError::Mismatch), "digit {at}");
    }
}

#[test]
fn two_secrets_are_live_during_a_rotation() {
    let (old, new): (&[u8], &[u8]) =
        (b"the-old-secret-of-32-characters!", b"the-new-secret-of-32-characters!");
    let both = verifier(&[old, new]);
    for secret in [old, new] {
        let header = sign(&SigningSecret::new(secret).unwrap(), BODY);
        assert_eq!(both.verify(Some(header.as_bytes()), BODY), Ok(()));
    }
    assert_eq!(both.verify(Some(good().as_bytes()), BODY), Err(SignatureError::Mismatch));
}

#[test]
fn what_would_be_open_or_guessable_is_refused() {
    assert_eq!(SigningSecret::new("").unwrap_err(), SecretError::TooShort(0));
    let short = SigningSecret::new("fifteen-letters").unwrap_err();
    assert_eq!(short, SecretError::TooShort(15));
    assert!(short.to_string().contains("openssl rand"), "{short}");
    assert!(SigningSecret::new("sixteen-letters!").is_ok());
    assert_eq!(Verifier::new(Scheme::GuideHex, []).unwrap_err(), VerifierError::NoSecret);
    let three = std::iter::repeat_with(|| SigningSecret::new(SECRET).unwrap()).take(3);
    assert_eq!(Verifier::new(Scheme::GuideHex, three).unwrap_err(), VerifierError::TooManySecrets(3));
}

#[test]
fn nothing_shows_the_secret() {
    let secret = SigningSecret::new(SECRET).unwrap();
    assert_eq!(format!("{secret:?}"), "SigningSecret([REDACTED])");
    assert_eq!(format!("{:?}", verifier(&[SECRET])), "Verifier { scheme: GuideHex, secrets: 1 }");
}
