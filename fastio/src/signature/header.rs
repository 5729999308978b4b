//! Header values as the schemes read them.

use http::{HeaderMap, HeaderName};

use super::SignatureError;
use super::claim::MAC_LEN;

/// The one value of a header, without space and tab around it.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h [u8], SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(SignatureError::Missing),
        (Some(value), None) => Ok(trim(value.as_bytes())),
        (Some(_), Some(_)) => Err(SignatureError::Duplicate),
    }
}

/// The parts between the commas, without space and tab around them.
pub(super) fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Removes the optional whitespace of RFC 9110 section 5.6.3 from both ends: space and tab, nothing else.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A signature in hexadecimal, of either case. Refuses every other length than twice that of the signature.
pub(super) fn from_hex(digits: &[u8]) -> Option<[u8; MAC_LEN]> {
    let mut signature = [0; MAC_LEN];
    hex::decode_to_slice(digits, &mut signature).ok()?;
    Some(signature)
}

/// The signatures of a list `sha256=<hex>[,sha256=<hex>…]`. Parts of another form are skipped: one good one is enough.
pub(super) fn sha256_list(value: &[u8]) -> impl Iterator<Item = [u8; MAC_LEN]> {
    parts(value).filter_map(|part| from_hex(part.strip_prefix(b"sha256=")?))
}

/// One signature in the form of [`sha256_list`].
pub(super) fn sha256(signature: &[u8]) -> String {
    format!("sha256={}", hex::encode(signature))
}
