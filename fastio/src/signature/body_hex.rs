//! `Fastio-Signature: sha256=<hex>` over the body alone.

use http::{HeaderMap, HeaderName};

use super::claim::Claim;
use super::{SignatureError, header};

/// The HMAC of the raw body in hexadecimal, as in the article "How to Integrate Fast.io Webhooks with Temporal.io".
///
/// It has no timestamp, so a recorded delivery can be sent again at any time. What a replay may do has to be limited by
/// the event's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyHex {
    /// Header of the signature. Default: `Fastio-Signature`.
    pub header: HeaderName,
}

impl Default for BodyHex {
    fn default() -> Self {
        Self { header: HeaderName::from_static("fastio-signature") }
    }
}

impl BodyHex {
    pub(super) fn claim(&self, headers: &HeaderMap) -> Result<Claim, SignatureError> {
        let value = header::only(headers, &self.header)?;
        Claim::new(None, header::sha256_list(value))
    }
}
