//! The closed set of schemes.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::body_hex::BodyHex;
use super::claim::Claim;
use super::secret::SigningSecret;
use super::stamp::Stamp;
use super::stamped_base64::StampedBase64;
use super::stamped_hex::StampedHex;
use super::{SignatureError, header, mac};

/// How deliveries are signed. Fast.io's public sources describe three ways and say of none that it is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Hexadecimal, over the body.
    BodyHex(BodyHex),
    /// Base64, over timestamp and body, both in one header.
    StampedBase64(StampedBase64),
    /// Hexadecimal, over timestamp and body, in two headers.
    StampedHex(StampedHex),
}

impl From<BodyHex> for Scheme {
    fn from(scheme: BodyHex) -> Self {
        Self::BodyHex(scheme)
    }
}

impl From<StampedBase64> for Scheme {
    fn from(scheme: StampedBase64) -> Self {
        Self::StampedBase64(scheme)
    }
}

impl From<StampedHex> for Scheme {
    fn from(scheme: StampedHex) -> Self {
        Self::StampedHex(scheme)
    }
}

impl Scheme {
    /// The name in configurations, for example `body-hex`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BodyHex(_) => "body-hex",
            Self::StampedBase64(_) => "stamped-base64",
            Self::StampedHex(_) => "stamped-hex",
        }
    }

    /// Signs a body as a sender does: the headers to send with it.
    #[must_use]
    pub fn sign(&self, secret: &SigningSecret, body: &[u8], at: Timestamp) -> HeaderMap {
        let stamp = Stamp::at(at);
        let stamped = || mac(secret.keyed(), Some(stamp.as_str()), body);
        match self {
            Self::BodyHex(scheme) => {
                headers([(&scheme.header, header::sha256(&mac(secret.keyed(), None, body)))])
            }
            Self::StampedBase64(scheme) => {
                headers([(&scheme.header, StampedBase64::format(&stamp, &stamped()))])
            }
            Self::StampedHex(scheme) => headers([
                (scheme.header(), header::sha256(&stamped())),
                (scheme.timestamp_header(), stamp.as_str().to_owned()),
            ]),
        }
    }

    pub(super) fn claim(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claim, SignatureError> {
        match self {
            Self::BodyHex(scheme) => scheme.claim(headers),
            Self::StampedBase64(scheme) => scheme.claim(headers, now),
            Self::StampedHex(scheme) => scheme.claim(headers, now),
        }
    }
}

fn headers<const N: usize>(pairs: [(&HeaderName, String); N]) -> HeaderMap {
    // Digits, letters and a few ASCII signs are always a header value.
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.clone(), HeaderValue::try_from(value).ok()?)))
        .collect()
}
