//! `X-Fastio-Signature: sha256=<hex>` over timestamp and body, the timestamp in a header of its own.

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use super::claim::Claim;
use super::stamp::{Stamp, Tolerance};
use super::{SignatureError, header};

/// One header cannot hold both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("signature and timestamp are both in the header {0}: name two different ones")]
pub struct SameHeaderError(HeaderName);

/// The HMAC of `<timestamp>.<body>` in hexadecimal (source: Fast.io's article "Webhook security and signature
/// verification"). That article does not name the header of the timestamp in what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampedHex {
    header: HeaderName,
    timestamp_header: HeaderName,
    tolerance: Tolerance,
}

impl Default for StampedHex {
    /// `X-Fastio-Signature` and `X-Fastio-Timestamp`, five minutes.
    fn default() -> Self {
        Self {
            header: HeaderName::from_static("x-fastio-signature"),
            timestamp_header: HeaderName::from_static("x-fastio-timestamp"),
            tolerance: Tolerance::default(),
        }
    }
}

impl StampedHex {
    /// Signature and timestamp in headers of these two names.
    pub fn new(
        header: HeaderName,
        timestamp_header: HeaderName,
        tolerance: Tolerance,
    ) -> Result<Self, SameHeaderError> {
        if header == timestamp_header {
            return Err(SameHeaderError(header));
        }
        Ok(Self { header, timestamp_header, tolerance })
    }

    /// Header of the signature.
    #[must_use]
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Header of the timestamp.
    #[must_use]
    pub fn timestamp_header(&self) -> &HeaderName {
        &self.timestamp_header
    }

    pub(super) fn claim(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claim, SignatureError> {
        let signatures = header::only(headers, &self.header)?;
        let stamp = Stamp::parse(header::only(headers, &self.timestamp_header)?)?;
        Claim::new(Some(self.tolerance.check(stamp, now)?), header::sha256_list(signatures))
    }
}
