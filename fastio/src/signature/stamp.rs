//! The time at which a delivery was signed, according to its sender.

use std::time::Duration;

use jiff::Timestamp;

use super::SignatureError;

/// Most digits of a timestamp: enough for the next 29,000 years, and far from any overflow.
const MAX_DIGITS: usize = 12;

/// A timestamp as it was received, because that is what is signed: `007` and `7` are the same second and different bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    text: String,
    seconds: u64,
}

impl Stamp {
    /// Unix seconds in ASCII digits and nothing else: no sign, no fraction, no exponent, no other script's digits.
    pub(super) fn parse(text: &[u8]) -> Result<Self, SignatureError> {
        if !(1..=MAX_DIGITS).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
            return Err(SignatureError::Malformed);
        }
        let text = std::str::from_utf8(text).map_err(|_| SignatureError::Malformed)?;
        let seconds = text.parse().map_err(|_| SignatureError::Malformed)?;
        Ok(Self { text: text.to_owned(), seconds })
    }

    /// The stamp of a moment; the beginning of the epoch for what is before it.
    pub(super) fn at(moment: Timestamp) -> Self {
        let seconds = u64::try_from(moment.as_second()).unwrap_or_default();
        Self { text: seconds.to_string(), seconds }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

/// How far a timestamp may be from now, in the past and in the future, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    seconds: u32,
}

/// A number of seconds that is no tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tolerance must be 1 to {max} seconds, got {0}", max = Tolerance::MAX_SECONDS)]
pub struct ToleranceError(u32);

impl Tolerance {
    /// One day. Who needs more wants a scheme without a timestamp.
    pub const MAX_SECONDS: u32 = 86_400;

    /// A tolerance of 1 to [`Tolerance::MAX_SECONDS`] seconds.
    pub fn from_seconds(seconds: u32) -> Result<Self, ToleranceError> {
        if (1..=Self::MAX_SECONDS).contains(&seconds) {
            Ok(Self { seconds })
        } else {
            Err(ToleranceError(seconds))
        }
    }

    /// The tolerance as a duration.
    #[must_use]
    pub fn as_duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Passes a stamp that is at most this far from `now`.
    pub(super) fn check(self, stamp: Stamp, now: Timestamp) -> Result<Stamp, SignatureError> {
        let now = u64::try_from(now.as_second()).unwrap_or_default();
        if now.abs_diff(stamp.seconds) <= self.seconds.into() {
            Ok(stamp)
        } else {
            Err(SignatureError::Stale)
        }
    }
}

impl Default for Tolerance {
    /// 300 seconds, as Fast.io's articles say and as Stripe and Standard Webhooks have it.
    fn default() -> Self {
        Self { seconds: 300 }
    }
}
