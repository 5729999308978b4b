//! The secret that sender and receiver share.

use std::fmt;

use hmac::{Hmac, KeyInit};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// Shortest secret, in bytes. Anything shorter can be guessed.
pub const MIN_SECRET_LEN: usize = 16;

/// Why bytes are not a signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Fewer than [`MIN_SECRET_LEN`] bytes.
    #[error(
        "the signing secret has {0} bytes, at least {MIN_SECRET_LEN} are needed: make one with `openssl rand -hex 32`"
    )]
    TooShort(usize),
    /// The HMAC does not take it (RFC 2104 takes every length, so this is not expected).
    #[error("the signing secret cannot be the key of an HMAC")]
    NoKey,
}

/// A signing secret. Never shown, wiped from memory when dropped.
#[derive(Clone)]
pub struct SigningSecret {
    bytes: SecretSlice<u8>,
    // Keyed once: who signs or verifies clones the state after the key and saves two of the hash's blocks.
    keyed: Hmac<Sha256>,
}

impl SigningSecret {
    /// Takes the secret as it is, byte by byte: who reads it from a file decides about a trailing newline.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, SecretError> {
        let secret = secret.as_ref();
        if secret.len() < MIN_SECRET_LEN {
            return Err(SecretError::TooShort(secret.len()));
        }
        let keyed = Hmac::new_from_slice(secret).map_err(|_| SecretError::NoKey)?;
        Ok(Self { bytes: SecretSlice::from(secret.to_vec()), keyed })
    }

    /// The secret itself, for the one call that tells it to the service.
    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// An HMAC under this secret that has seen no data yet.
    pub(super) fn keyed(&self) -> Hmac<Sha256> {
        self.keyed.clone()
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret([REDACTED])")
    }
}
