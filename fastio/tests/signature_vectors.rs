//! The vectors of `tests/vectors/signatures.json`, which verifiers in other languages run too (`docs/signatures.md`).

// Clippy knows functions with `#[test]` as tests, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fastio::signature::{
    BodyHex, Scheme, SecretError, SigningSecret, StampedBase64, StampedHex, Tolerance, Verifier,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Deserialize;

const FILE: &str = include_str!("../../tests/vectors/signatures.json");

#[derive(Deserialize)]
struct File {
    signatures: Vec<Vector>,
    secrets: Vec<SecretVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    scheme: String,
    header: String,
    timestamp_header: Option<String>,
    tolerance_seconds: u32,
    secrets: Vec<Secret>,
    now: i64,
    headers: Vec<(String, Value)>,
    body: String,
    accept: bool,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Secret {
    encoding: String,
    text: String,
}

#[derive(Deserialize)]
struct SecretVector {
    name: String,
    #[serde(flatten)]
    secret: Secret,
    accept: bool,
    key: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Bytes { base64: String },
}

impl Secret {
    fn decode(&self) -> Result<SigningSecret, SecretError> {
        SigningSecret::decode(&self.text, self.encoding.parse().unwrap())
    }
}

impl Value {
    fn header(&self) -> HeaderValue {
        let bytes = match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes { base64 } => BASE64_STANDARD.decode(base64).unwrap(),
        };
        HeaderValue::from_bytes(&bytes).unwrap()
    }
}

impl Vector {
    fn scheme(&self) -> Scheme {
        let name = |text: &str| HeaderName::try_from(text).unwrap();
        let header = name(&self.header);
        let tolerance = Tolerance::from_seconds(self.tolerance_seconds).unwrap();
        match self.scheme.as_str() {
            "body-hex" => BodyHex { header }.into(),
            "stamped-base64" => StampedBase64 { header, tolerance }.into(),
            "stamped-hex" => {
                let timestamp_header = name(self.timestamp_header.as_deref().unwrap());
                StampedHex::new(header, timestamp_header, tolerance).unwrap().into()
            }
            other => panic!("{other}"),
        }
    }

    fn outcome(&self) -> Result<(), String> {
        let secrets = self.secrets.iter().map(|secret| secret.decode().unwrap());
        let verifier = Verifier::new(self.scheme(), secrets).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(HeaderName::try_from(name).unwrap(), value.header());
        }
        let body = BASE64_STANDARD.decode(&self.body).unwrap();
        let now = Timestamp::from_second(self.now).unwrap();
        verifier.verify(&headers, &body, now).map_err(|error| error.reason().to_owned())
    }
}

fn file() -> File {
    serde_json::from_str(FILE).unwrap()
}

fn expected(accept: bool, reason: Option<&str>) -> Result<(), String> {
    assert_eq!(accept, reason.is_none());
    reason.map_or(Ok(()), |reason| Err(reason.to_owned()))
}

#[test]
fn every_delivery_has_the_outcome_that_the_file_says() {
    let file = file();
    for scheme in ["body-hex", "stamped-base64", "stamped-hex"] {
        assert!(file.signatures.iter().filter(|vector| vector.scheme == scheme).count() >= 20, "{scheme}");
    }
    for vector in &file.signatures {
        assert_eq!(vector.outcome(), expected(vector.accept, vector.reason.as_deref()), "{}", vector.name);
    }
}

#[test]
fn every_secret_has_the_outcome_that_the_file_says() {
    let signed = |secret: &SigningSecret| {
        let scheme = Scheme::from(BodyHex::default());
        scheme.sign(secret, b"body", Timestamp::UNIX_EPOCH)
    };
    for SecretVector { name, secret, accept, key, reason } in file().secrets {
        let decoded = secret.decode();
        let outcome = decoded.as_ref().map(|_| ()).map_err(|error| match error {
            SecretError::Empty => "empty".to_owned(),
            SecretError::TooShort(_) => "too-short".to_owned(),
            SecretError::Encoding(_) => "encoding".to_owned(),
            other => panic!("{other}"),
        });
        assert_eq!(outcome, expected(accept, reason.as_deref()), "{name}");
        // Two keys that sign alike are the same key.
        let key = key.map(|key| SigningSecret::new(hex::decode(key).unwrap()).unwrap());
        assert_eq!(decoded.ok().as_ref().map(signed), key.as_ref().map(signed), "{name}");
    }
}
