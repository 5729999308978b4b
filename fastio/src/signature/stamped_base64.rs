//! `Fastio-Signature: t=<unix seconds>,v1=<base64>` over timestamp and body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::claim::{Claim, MAC_LEN};
use super::stamp::{Stamp, Tolerance};
use super::{SignatureError, header};

/// Length of a signature in base64, with padding.
const BASE64_LEN: usize = 44;

/// Timestamp and signatures in one header, the signed bytes being `<timestamp>.<body>` (source: Fast.io's article
/// "Webhook signature verification tutorial"; the form is that of Stripe).
///
/// A sender that rotates its secret gives several `v1`; keys other than `t` and `v1` are left out of account. Base64 is the
/// standard alphabet with padding; a signature of 64 hexadecimal digits is read too, which no base64 of 32 bytes
/// has the length of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampedBase64 {
    /// Header of the signature. Default: `Fastio-Signature`.
    pub header: HeaderName,
    /// How far the timestamp may be from now. Default: five minutes.
    pub tolerance: Tolerance,
}

impl Default for StampedBase64 {
    fn default() -> Self {
        Self { header: HeaderName::from_static("fastio-signature"), tolerance: Tolerance::default() }
    }
}

impl StampedBase64 {
    pub(super) fn claim(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claim, SignatureError> {
        let value = header::only(headers, &self.header)?;
        let stamp = self.tolerance.check(stamp(value)?, now)?;
        let signatures = header::parts(value).filter_map(|part| signature(part.strip_prefix(b"v1=")?));
        Claim::new(Some(stamp), signatures)
    }

    pub(super) fn format(stamp: &Stamp, signature: &[u8]) -> String {
        format!("t={},v1={}", stamp.as_str(), BASE64_STANDARD.encode(signature))
    }
}

/// The one timestamp. Two of them are none: one could be checked and the other one signed.
fn stamp(value: &[u8]) -> Result<Stamp, SignatureError> {
    let mut stamps = header::parts(value).filter_map(|part| part.strip_prefix(b"t="));
    match (stamps.next(), stamps.next()) {
        (Some(stamp), None) => Stamp::parse(stamp),
        _ => Err(SignatureError::Malformed),
    }
}

fn signature(text: &[u8]) -> Option<[u8; MAC_LEN]> {
    if text.len() != BASE64_LEN {
        return header::from_hex(text);
    }
    // One byte of room more than needed: the decoder wants it for the last quantum.
    let mut decoded = [0; MAC_LEN + 1];
    let length = BASE64_STANDARD.decode_slice(text, &mut decoded).ok()?;
    decoded.get(..length)?.try_into().ok()
}
