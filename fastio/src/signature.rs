//! Webhook signatures: who really sent these bytes?
//!
//! Verification never fails in any other way than by [`SignatureError`], whatever bytes it is given; it looks
//! at the raw body, before any parsing; and it compares in constant time. The scheme is a choice of the configuration and
//! never of the request.
//!
//! ```
//! use fastio::signature::{Scheme, SigningSecret, Verifier, sign};
//!
//! let secret = SigningSecret::new("0123456789abcdef0123456789abcdef")?;
//! let body = br#"{"eventType":"upload"}"#;
//! let header = sign(&secret, body);
//! assert!(header.starts_with("sha256="));
//!
//! let verifier = Verifier::new(Scheme::GuideHex, vec![secret])?;
//! assert!(verifier.verify(Some(header.as_bytes()), body).is_ok());
//! assert!(verifier.verify(Some(header.as_bytes()), b"{}").is_err());
//! assert!(verifier.verify(None, body).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod guide_hex;
mod secret;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

pub use secret::{MIN_SECRET_LEN, SecretError, SigningSecret};

/// Most secrets that count at the same time: the old and the new one during a rotation.
pub const MAX_LIVE_SECRETS: usize = 2;

/// How deliveries are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `Fastio-Signature: sha256=<hex>`, the HMAC-SHA256 of the raw body, as in the article "How to Integrate Fast.io
    /// Webhooks with Temporal.io". It has no timestamp: what a replay may do has to be limited by the event's id.
    GuideHex,
}

impl Scheme {
    /// The header that carries the signature, in lower case.
    #[must_use]
    pub const fn header_name(self) -> &'static str {
        match self {
            Self::GuideHex => "fastio-signature",
        }
    }
}

/// Why a delivery is not accepted. For logs and metrics: what a sender is told must be the same for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature header.
    #[error("the request has no signature")]
    Missing,
    /// Nothing in the header has the form of a signature.
    #[error("the signature does not have the form that the configured scheme asks for")]
    Malformed,
    /// No signature fits body and secret.
    #[error("the signature does not fit: another secret, or another body")]
    Mismatch,
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
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Is this body signed by one of the secrets? `header` is the value of [`Scheme::header_name`]: one signature, or
    /// several with commas between them of which one is good (a sender that rotates its secret sends both).
    pub fn verify(&self, header: Option<&[u8]>, body: &[u8]) -> Result<(), SignatureError> {
        let header = header.ok_or(SignatureError::Missing)?;
        let claimed = match self.scheme {
            Scheme::GuideHex => guide_hex::parse(header),
        };
        // Before the body is hashed: a header that cannot be good costs nothing more.
        if claimed.is_empty() {
            return Err(SignatureError::Malformed);
        }
        let mut good = Choice::from(0);
        for keyed in &self.keyed {
            let expected = match self.scheme {
                Scheme::GuideHex => keyed.clone().chain_update(body).finalize().into_bytes(),
            };
            for signature in &claimed {
                good |= expected.as_slice().ct_eq(signature);
            }
        }
        if bool::from(good) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, keyed } = self;
        f.debug_struct("Verifier").field("scheme", scheme).field("secrets", &keyed.len()).finish()
    }
}

/// Signs a body in the scheme [`Scheme::GuideHex`]: the value of the header.
#[must_use]
pub fn sign(secret: &SigningSecret, body: &[u8]) -> String {
    guide_hex::format(&secret.keyed().chain_update(body).finalize().into_bytes())
}

#[cfg(test)]
mod tests;
