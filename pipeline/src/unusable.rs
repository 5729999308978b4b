//! A signed delivery that is not a usable event, as it is kept: the input of a workflow that fails at once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Most bytes that are kept of a body: six times as many, as JSON text of control characters, are below the 2 MiB that
/// Temporal takes as one value.
pub const KEPT: usize = 256 * 1024;

/// A delivery with a good signature that no version of this software could make an event of so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnusableDelivery {
    /// What is wrong with it.
    pub problem: String,
    /// SHA-256 of the whole body, in hexadecimal digits.
    pub sha256: String,
    /// Length of the whole body in bytes.
    pub size: usize,
    /// The body, or its first [`KEPT`] bytes.
    pub body: KeptBody,
}

/// Bytes in a form that JSON can carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeptBody {
    /// UTF-8, as it came.
    Text(String),
    /// Anything else.
    Base64(String),
}

impl UnusableDelivery {
    /// Keeps a body.
    #[must_use]
    pub fn new(body: &[u8], problem: String) -> Self {
        Self {
            problem,
            sha256: hex::encode(Sha256::digest(body)),
            size: body.len(),
            body: KeptBody::of(body),
        }
    }
}

impl KeptBody {
    /// The first [`KEPT`] bytes at most, of text as many whole characters.
    fn of(body: &[u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self::Text(text.get(..text.floor_char_boundary(KEPT)).unwrap_or(text).to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(body.get(..KEPT).unwrap_or(body))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_can_be_read_again() {
        for (body, expected) in [
            (&b"{\"half\": "[..], KeptBody::Text("{\"half\": ".to_owned())),
            (b"\xff\x00", KeptBody::Base64("/wA=".to_owned())),
            // It breaks off within a character: what is left of that is a part of it, too.
            (b"a\xc3", KeptBody::Base64("YcM=".to_owned())),
            (b"", KeptBody::Text(String::new())),
        ] {
            let kept = UnusableDelivery::new(body, "x".to_owned());
            assert_eq!((kept.body, kept.size), (expected, body.len()));
        }
    }

    #[test]
    fn a_long_body_is_cut_between_characters_and_fits() {
        let long = format!("x{}", "é".repeat(KEPT));
        let kept = UnusableDelivery::new(long.as_bytes(), "x".to_owned());
        assert_eq!(kept.size, long.len());
        let KeptBody::Text(text) = &kept.body else { panic!("{:?}", kept.sha256) };
        assert!(long.starts_with(text.as_str()) && text.len() == KEPT - 1);
        let controls = UnusableDelivery::new(&vec![1; 2 * KEPT], "x".to_owned());
        assert!(serde_json::to_vec(&controls).unwrap().len() < 2 * 1024 * 1024);
    }
}
