//! Webhook signatures: who really sent these bytes?
//!
//! Verification never fails in any other way than by [`SignatureError`], whatever bytes it is given; it looks
//! at the raw body, before any parsing; and it compares in constant time. The [`Scheme`] is a choice of the configuration
//! and never of the request: a delivery that is signed in another scheme is not signed.
//!
//! The schemes in words, for senders and for verifiers in other languages: `docs/signatures.md`.
//!
//! ```
//! use fastio::signature::{BodyHex, Scheme, SigningSecret, Verifier};
//! use jiff::Timestamp;
//!
//! let scheme = Scheme::from(BodyHex::default());
//! let secret = SigningSecret::new("0123456789abcdef0123456789abcdef")?;
//! let body = br#"{"eventType":"upload"}"#;
//! let now = Timestamp::now();
//! let headers = scheme.sign(&secret, body, now);
//! assert!(headers["fastio-signature"].as_bytes().starts_with(b"sha256="));
//!
//! let verifier = Verifier::new(scheme, [secret])?;
//! assert!(verifier.verify(&headers, body, now).is_ok());
//! assert!(verifier.verify(&headers, b"{}", now).is_err());
//! assert!(verifier.verify(&http::HeaderMap::new(), body, now).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body_hex;
mod claim;
mod header;
mod scheme;
mod secret;
mod stamp;
mod stamped_base64;
mod stamped_hex;

use hmac::{Hmac, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use sha2::Sha256;

pub use body_hex::BodyHex;
pub use claim::{Claim, MAX_SIGNATURES};
pub use scheme::Scheme;
pub use secret::{MIN_SECRET_LEN, SecretEncoding, SecretError, SigningSecret};
pub use stamp::{Tolerance, ToleranceError};
pub use stamped_base64::StampedBase64;
pub use stamped_hex::{SameHeaderError, StampedHex};

/// Most secrets that count at the same time: the old and the new one during a rotation.
pub const MAX_LIVE_SECRETS: usize = 2;

/// Why a delivery is not accepted. For logs and metrics: what a sender is told must be the same for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A header that the scheme needs is not there.
    #[error("the request has no signature of the configured scheme")]
    Missing,
    /// A header of the scheme is there more than once: which one counts would be a guess.
    #[error("the request has a signature header more than once")]
    Duplicate,
    /// Nothing in the headers has the form of a signature, or the timestamp has not the form of one.
    #[error("the signature does not have the form that the configured scheme asks for")]
    Malformed,
    /// The timestamp is further from now than the tolerance: a replay, or a clock that is wrong.
    #[error("the signature's timestamp is too far from now: a replay, or a clock that is wrong")]
    Stale,
    /// No signature fits body and secret.
    #[error("the signature does not fit: another secret, or another body")]
    Mismatch,
}

impl SignatureError {
    /// One word for metrics and for the vector file.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Why a verifier cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// Without a secret nothing can be accepted.
    #[error("no signing secret: give one, or two during a rotation")]
    NoSecret,
    /// More than [`MAX_LIVE_SECRETS`].
    #[error(
        "{0} signing secrets, at most {MAX_LIVE_SECRETS} may be live: drop the ones that are rotated out"
    )]
    TooManySecrets(usize),
}

/// Decides about deliveries. Made once, used for each request.
#[derive(Clone)]
pub struct Verifier {
    scheme: Scheme,
    // Keyed once: each request clones the state after the key and saves two of the hash's blocks.
    keyed: Vec<Hmac<Sha256>>,
}

impl Verifier {
    /// One secret, or two while one is rotated out: a signature by either is good.
    pub fn new(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = SigningSecret>,
    ) -> Result<Self, VerifierError> {
        let keyed: Vec<_> = secrets.into_iter().map(|secret| secret.keyed()).collect();
        match keyed.len() {
            0 => Err(VerifierError::NoSecret),
            1..=MAX_LIVE_SECRETS => Ok(Self { scheme, keyed }),
            more => Err(VerifierError::TooManySecrets(more)),
        }
    }

    /// The scheme of this verifier.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Are these headers, at this moment, those of a signed delivery? [`Verifier::claim`] and [`Verifier::check`] in one.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), SignatureError> {
        self.check(&self.claim(headers, now)?, body)
    }

    /// Reads the headers of a delivery. Whatever this refuses is not signed, whatever its body is: who reads bodies from
    /// a network can stop here.
    pub fn claim(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claim, SignatureError> {
        self.scheme.claim(headers, now)
    }

    /// Is one of the claimed signatures that of this body by one of the secrets?
    pub fn check(&self, claim: &Claim, body: &[u8]) -> Result<(), SignatureError> {
        let mut good = subtle::Choice::from(0);
        for keyed in &self.keyed {
            good |= claim.fits(keyed.clone(), body);
        }
        if bool::from(good) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, keyed } = self;
        f.debug_struct("Verifier").field("scheme", &scheme.name()).field("secrets", &keyed.len()).finish()
    }
}

/// The HMAC-SHA256 of a body, or of a timestamp, a dot and a body.
fn mac(keyed: Hmac<Sha256>, stamp: Option<&str>, body: &[u8]) -> [u8; 32] {
    let keyed = match stamp {
        Some(stamp) => keyed.chain_update(stamp).chain_update(b"."),
        None => keyed,
    };
    keyed.chain_update(body).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
