//! What a request's headers say about its signature, before anybody has checked it.

use hmac::Hmac;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::stamp::Stamp;
use super::{SignatureError, mac};

/// Length of an HMAC-SHA256 in bytes.
pub(super) const MAC_LEN: usize = 32;

/// Most signatures of the right form that are looked at in one header. The rest is not read: a long list must not buy
/// more of our time.
pub const MAX_SIGNATURES: usize = 8;

/// The signatures that a request claims to have, and the timestamp that they claim to cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    stamp: Option<Stamp>,
    signatures: Vec<[u8; MAC_LEN]>,
}

impl Claim {
    /// At least one signature has to be there.
    pub(super) fn new(
        stamp: Option<Stamp>,
        signatures: impl Iterator<Item = [u8; MAC_LEN]>,
    ) -> Result<Self, SignatureError> {
        let signatures: Vec<_> = signatures.take(MAX_SIGNATURES).collect();
        if signatures.is_empty() { Err(SignatureError::Malformed) } else { Ok(Self { stamp, signatures }) }
    }

    /// Whether one of the signatures is that of `body`. The time it takes says nothing about which, or how nearly.
    pub(super) fn fits(&self, keyed: Hmac<Sha256>, body: &[u8]) -> Choice {
        let expected = mac(keyed, self.stamp.as_ref().map(Stamp::as_str), body);
        self.signatures.iter().fold(Choice::from(0), |good, signature| good | expected.ct_eq(signature))
    }
}
