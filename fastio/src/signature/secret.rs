//! The secret that sender and receiver share.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// Shortest secret, in bytes. Anything shorter can be guessed.
pub const MIN_SECRET_LEN: usize = 16;

/// What the secret of a Standard Webhooks sender begins with.
const WHSEC: &[u8] = b"whsec_";

/// The standard alphabet. Dashboards show secrets with padding and without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a secret is written down. Sources of the same secret differ, and a wrong guess makes every delivery fail: so this
/// is configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretEncoding {
    /// The bytes as they are.
    #[default]
    Raw,
    /// Hexadecimal, of either case.
    Hex,
    /// Base64: standard alphabet, with or without padding.
    Base64,
    /// `whsec_` and base64, as in Standard Webhooks.
    Whsec,
}

impl SecretEncoding {
    /// All encodings, in the order in which they are documented.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Hex, Self::Base64, Self::Whsec];

    /// The name in configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Whsec => "whsec",
        }
    }
}

impl FromStr for SecretEncoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == name).ok_or(UnknownEncoding)
    }
}

/// Not the name of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of raw, hex, base64, whsec")]
pub struct UnknownEncoding;

/// Why bytes are not a signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Nothing at all.
    #[error("the signing secret is empty: put the secret that the sender signs with here")]
    Empty,
    /// Fewer than [`MIN_SECRET_LEN`] bytes once decoded.
    #[error(
        "the signing secret has {0} bytes, at least {MIN_SECRET_LEN} are needed: make one with `openssl rand -hex 32`"
    )]
    TooShort(usize),
    /// Not in the encoding that is configured.
    #[error("the signing secret is not {}: {}", .0.as_str(), encoding_hint(*.0))]
    Encoding(SecretEncoding),
    /// The HMAC does not take it (RFC 2104 takes every length, so this is not expected).
    #[error("the signing secret cannot be the key of an HMAC")]
    NoKey,
}

fn encoding_hint(encoding: SecretEncoding) -> &'static str {
    match encoding {
        SecretEncoding::Raw | SecretEncoding::Hex => {
            "an even number of digits 0-9 and a-f is expected; if the text itself is the key, the encoding is raw"
        }
        SecretEncoding::Base64 => {
            "the standard alphabet is expected; if the text itself is the key, the encoding is raw"
        }
        SecretEncoding::Whsec => {
            "whsec_ and base64 are expected; without the prefix the encoding is base64, and if the text itself is the key, raw"
        }
    }
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
        match secret.len() {
            0 => return Err(SecretError::Empty),
            short @ 1..MIN_SECRET_LEN => return Err(SecretError::TooShort(short)),
            _ => {}
        }
        let keyed = Hmac::new_from_slice(secret).map_err(|_| SecretError::NoKey)?;
        Ok(Self { bytes: SecretSlice::from(secret.to_vec()), keyed })
    }

    /// Decodes a secret as it is written down.
    pub fn decode(text: impl AsRef<[u8]>, encoding: SecretEncoding) -> Result<Self, SecretError> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        let decoded = match encoding {
            SecretEncoding::Raw => return Self::new(text),
            SecretEncoding::Hex => hex::decode(text).ok(),
            SecretEncoding::Base64 => BASE64.decode(text).ok(),
            SecretEncoding::Whsec => text.strip_prefix(WHSEC).and_then(|text| BASE64.decode(text).ok()),
        };
        Self::new(Zeroizing::new(decoded.ok_or(SecretError::Encoding(encoding))?))
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
