//! The verifier of signatures, in all schemes, and the decoder of secrets.
//!
//! Random bytes never contain an HMAC. So the input is a delivery with blanks: `%H` and `%B` stand for the right
//! signature of the scheme in hexadecimal and base64. What must hold: no input without a blank is accepted.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fastio::signature::{
    BodyHex, Scheme, SecretEncoding, SignatureError, SigningSecret, StampedBase64, StampedHex, Verifier,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

const NOW: i64 = 1_791_000_000;
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const OTHER: &[u8] = b"another secret of the same length";

pub(crate) const WORDS: &[&str] = &[
    "%H",
    "%B",
    "s:",
    "x:",
    "t:",
    "sha256=%H",
    "t=1791000000,v1=%B",
    "v1=",
    "t=",
    "1791000000",
    "1791000300",
    "1791000301",
    "sha256=",
    ",",
    "\n",
    "\n\n",
    " ",
    "\t",
    "=",
    "+",
    "/",
    "whsec_",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
];

/// A delivery in the form `<scheme><LF>` `s:<value><LF>`… `<LF>` `<body>`.
struct Delivery<'b> {
    scheme: Scheme,
    lines: Vec<(HeaderName, &'b [u8])>,
    body: &'b [u8],
}

impl<'b> Delivery<'b> {
    fn of(bytes: &'b [u8]) -> Option<Self> {
        let (first, mut rest) = bytes.split_first()?;
        let scheme = match first % 3 {
            0 => BodyHex::default().into(),
            1 => StampedBase64::default().into(),
            _ => StampedHex::default().into(),
        };
        let mut lines = Vec::new();
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            let name = match line {
                [b's', b':', ..] => "fastio-signature",
                [b'x', b':', ..] => "x-fastio-signature",
                [b't', b':', ..] => "x-fastio-timestamp",
                [] => return Some(Self { scheme, lines, body: rest }),
                _ => continue,
            };
            lines.push((HeaderName::from_static(name), &line[2..]));
        }
    }

    /// The signature that the blanks stand for: that of this body, at this moment.
    fn mac(&self) -> Vec<u8> {
        let secret = SigningSecret::new(SECRET).expect("a secret");
        let headers = self.scheme.sign(&secret, self.body, moment());
        let value = |name: &str| headers.get(name).map(|value| value.to_str().expect("ASCII"));
        if let Some(base64) = value("fastio-signature").and_then(|value| value.split_once(",v1=")) {
            return BASE64_STANDARD.decode(base64.1).expect("base64");
        }
        let hex = value("fastio-signature").or(value("x-fastio-signature")).expect("a signature");
        hex::decode(hex.trim_start_matches("sha256=")).expect("hexadecimal")
    }

    /// The headers, and whether a blank was filled in any of them.
    fn headers(&self) -> (HeaderMap, bool) {
        let (mut headers, mut filled) = (HeaderMap::new(), false);
        for (name, line) in &self.lines {
            let mut value = Vec::with_capacity(line.len());
            let mut rest = *line;
            while let Some((first, after)) = rest.split_first() {
                rest = after;
                match (first, rest.split_first()) {
                    (b'%', Some((b'H', after))) => {
                        value.extend(hex::encode(self.mac()).into_bytes());
                        (rest, filled) = (after, true);
                    }
                    (b'%', Some((b'B', after))) => {
                        value.extend(BASE64_STANDARD.encode(self.mac()).into_bytes());
                        (rest, filled) = (after, true);
                    }
                    _ => value.push(*first),
                }
            }
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        (headers, filled)
    }
}

fn moment() -> Timestamp {
    Timestamp::from_second(NOW).expect("a moment")
}

fn verifier(scheme: &Scheme, secret: &[u8]) -> Verifier {
    Verifier::new(scheme.clone(), [SigningSecret::new(secret).expect("a secret")]).expect("a verifier")
}

pub(crate) fn run(bytes: &[u8]) {
    secrets(bytes);
    let Some(delivery) = Delivery::of(bytes) else { return };
    let (headers, filled) = delivery.headers();
    let right = verifier(&delivery.scheme, SECRET);
    let outcome = right.verify(&headers, delivery.body, moment());
    assert!(filled || outcome.is_err(), "accepted without a signature");
    if outcome.is_ok() {
        // Nobody else signed it, it says nothing about another body, and its time passes.
        let other = verifier(&delivery.scheme, OTHER);
        assert_eq!(other.verify(&headers, delivery.body, moment()), Err(SignatureError::Mismatch));
        let longer = [delivery.body, b" "].concat();
        assert_eq!(right.verify(&headers, &longer, moment()), Err(SignatureError::Mismatch));
        let is_stamped = !matches!(delivery.scheme, Scheme::BodyHex(_));
        let later = Timestamp::from_second(NOW + 601).expect("a moment");
        let expected = if is_stamped { Err(SignatureError::Stale) } else { Ok(()) };
        assert_eq!(right.verify(&headers, delivery.body, later), expected);
    }
    // What the headers alone decide is what the whole decides.
    if let Err(error) = right.claim(&headers, moment()) {
        assert_eq!(outcome, Err(error));
    }
}

fn secrets(text: &[u8]) {
    for encoding in SecretEncoding::ALL {
        if let Err(error) = SigningSecret::decode(text, encoding) {
            assert!(error.to_string().len() < 300);
        }
    }
}
