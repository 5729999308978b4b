//! Keys that are derived from one root key, so that losing a child Secret loses nothing: it is made again with the same
//! value, and every delivery and run in flight stays valid.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

/// Length of the root key in bytes.
pub const ROOT_KEY_LENGTH: usize = 32;

/// A root key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Of another length than [`ROOT_KEY_LENGTH`].
    #[error("the root key has {0} bytes instead of {ROOT_KEY_LENGTH}")]
    Length(usize),
    /// The HMAC does not take it (RFC 2104 takes every length, so this is not expected).
    #[error("the root key cannot be the key of an HMAC")]
    Hmac,
}

/// The key that all others are derived from. Never shown, wiped from memory when dropped.
#[derive(Clone)]
pub struct RootKey {
    bytes: SecretSlice<u8>,
    // Keyed once, so that deriving cannot fail.
    keyed: Hmac<Sha256>,
}

/// A derived key: 64 lower-case hexadecimal digits.
#[derive(Clone)]
pub struct DerivedKey(SecretString);

impl RootKey {
    /// A new random key.
    pub fn random() -> Result<Self, KeyError> {
        Self::new(&rand::random::<[u8; ROOT_KEY_LENGTH]>())
    }

    /// Takes a key as it was stored.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != ROOT_KEY_LENGTH {
            return Err(KeyError::Length(bytes.len()));
        }
        let keyed = Hmac::new_from_slice(bytes).map_err(|_| KeyError::Hmac)?;
        Ok(Self { bytes: SecretSlice::from(bytes.to_vec()), keyed })
    }

    /// The bytes, to store them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// What Fast.io signs the deliveries of a webhook with.
    #[must_use]
    pub fn signing_secret(&self, webhook_uid: &str) -> DerivedKey {
        self.derive("signing-secret v1", webhook_uid.as_bytes())
    }

    /// What intake and workers of a webhook authenticate plans with.
    #[must_use]
    pub fn plan_key(&self, webhook_uid: &str) -> DerivedKey {
        self.derive("plan-key v1", webhook_uid.as_bytes())
    }

    /// A fingerprint of contents of Secrets for a place that everybody may read: nobody can check a guess without the
    /// root key. The first 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self, content: &[u8]) -> String {
        let DerivedKey(mac) = self.derive("fingerprint v1", content);
        mac.expose_secret().chars().take(16).collect()
    }

    fn derive(&self, purpose: &str, of: &[u8]) -> DerivedKey {
        let mac = self.keyed.clone().chain_update(purpose).chain_update("\n").chain_update(of).finalize();
        DerivedKey(SecretString::from(hex::encode(mac.into_bytes())))
    }
}

impl DerivedKey {
    /// The key, for the Secret or the call that it belongs into.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The first 16 hexadecimal digits of its SHA-256. A derived key cannot be guessed, so this may be public.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.expose())).chars().take(16).collect()
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([REDACTED])")
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "5f0c2f0e-0000-4000-8000-000000000001";

    #[test]
    fn keys_follow_from_root_purpose_and_uid() {
        let root = RootKey::new(&[7; 32]).unwrap();
        let signing = root.signing_secret(UID);
        // Written down so that a change of the derivation is noticed: it would invalidate everything in flight.
        assert_eq!(signing.expose(), "bd832924439124beb70a9efe3f473a957ee13f0a681c3305894152e3663c2785");
        assert_eq!(
            root.plan_key(UID).expose(),
            "dd3b21e6197a1f1e5b7bc9a4684b034ab3b793ab14cbc47201094125c77c49d6"
        );
        assert_ne!(signing.expose(), root.signing_secret("another").expose());
        assert_ne!(signing.expose(), RootKey::random().unwrap().signing_secret(UID).expose());
    }

    #[test]
    fn fingerprints_are_short_and_differ() {
        let root = RootKey::new(&[7; 32]).unwrap();
        assert_eq!(root.fingerprint(b"a").len(), 16);
        assert_ne!(root.fingerprint(b"a"), root.fingerprint(b"b"));
        assert_eq!(root.signing_secret(UID).fingerprint().len(), 16);
    }

    #[test]
    fn nothing_is_shown() {
        let root = RootKey::new(&[7; 32]).unwrap();
        assert_eq!(
            format!("{root:?} {:?}", root.plan_key(UID)),
            "RootKey([REDACTED]) DerivedKey([REDACTED])"
        );
        assert_eq!(RootKey::new(b"short").unwrap_err().to_string(), "the root key has 5 bytes instead of 32");
    }
}
