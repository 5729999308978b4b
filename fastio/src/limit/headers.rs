//! What the headers of a reply say about rate limits.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::time;

/// Longest pause that is believed; a reply that asks for more is cut to this.
pub(super) const MAX_PAUSE: Duration = Duration::from_hours(1);

/// Shortest pause after a 429 that names the end of a period: the end is in whole seconds, and maybe over by a clock that
/// differs from this machine's. Else all who wait would call again at once, and be refused again.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// Pause after a 429 that does not tell how long: what the official CLI 0.2.13 uses.
pub(crate) const UNTOLD_PAUSE: Duration = Duration::from_mins(1);

/// The limit headers of one reply: `x-ve-limit-avail`, `-max`, `-expires`, or their older names
/// `X-Rate-Limit-Available`, `-Max`, `-Expiry`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Calls left in this period.
    pub(crate) available: Option<u64>,
    /// Calls per period.
    pub(crate) max: Option<u64>,
    /// When the period ends, on this machine's clock.
    pub(crate) reset: Option<SystemTime>,
}

impl Limits {
    /// Reads the headers of a reply that came at `now`. What cannot be understood counts as absent.
    pub(crate) fn from_headers(headers: &HeaderMap, now: SystemTime) -> Self {
        let number = |names| text(headers, names)?.parse().ok();
        Self {
            available: number(["x-ve-limit-avail", "x-rate-limit-available"]),
            max: number(["x-ve-limit-max", "x-rate-limit-max"]),
            reset: text(headers, ["x-ve-limit-expires", "x-rate-limit-expiry"])
                .and_then(time::parse)
                .map(|at| on_this_clock(at.into(), headers, now)),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, names: [&str; 2]) -> Option<&'h str> {
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(str::trim)
}

/// The service's moments are on its own clock. Its `Date` header tells how that differs from this machine's.
fn on_this_clock(at: SystemTime, headers: &HeaderMap, now: SystemTime) -> SystemTime {
    let theirs = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(time::parse_http);
    let pause = at.duration_since(theirs.map_or(now, SystemTime::from)).unwrap_or(Duration::ZERO);
    now + pause.min(MAX_PAUSE)
}

/// When a refused call may be made again: `Retry-After` (seconds or HTTP date, RFC 9110 section 10.2.3) if it is
/// there, else the reset of the rate limit for a 429.
pub(crate) fn retry_at(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = asked.and_then(|value| match value.parse::<u64>() {
        Ok(seconds) => Some(now + Duration::from_secs(seconds).min(MAX_PAUSE)),
        Err(_) => time::parse_http(value).map(|at| on_this_clock(at.into(), headers, now)),
    });
    if asked.is_some() || status != StatusCode::TOO_MANY_REQUESTS {
        return asked;
    }
    let reset = Limits::from_headers(headers, now).reset;
    Some(reset.map_or(now + UNTOLD_PAUSE, |at| at.max(now + MIN_PAUSE)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    /// 2026-10-05 12:00:00 UTC.
    const NOON: u64 = 1_791_201_600;

    fn noon() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOON)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn pause(headers: &HeaderMap) -> Option<u64> {
        let at = retry_at(StatusCode::TOO_MANY_REQUESTS, headers, noon())?;
        Some(at.duration_since(noon()).unwrap().as_secs())
    }

    #[test]
    fn both_published_forms_of_the_reset_are_read() {
        let epoch = headers(&[
            ("x-ve-limit-avail", "0"),
            ("x-ve-limit-max", "15"),
            ("x-ve-limit-expires", &(NOON + 30).to_string()),
        ]);
        let limits = Limits::from_headers(&epoch, noon());
        assert_eq!((limits.available, limits.max), (Some(0), Some(15)));
        assert_eq!(pause(&epoch), Some(30));
        assert_eq!(pause(&headers(&[("x-ve-limit-expires", "2026-10-05 12:00:07 UTC")])), Some(7));
        assert_eq!(pause(&headers(&[("x-rate-limit-expiry", &(NOON + 9).to_string())])), Some(9));
    }

    #[test]
    fn retry_after_wins_in_both_forms() {
        let reset = ("x-ve-limit-expires", "2026-10-05 12:00:07 UTC");
        assert_eq!(pause(&headers(&[reset, ("retry-after", "3")])), Some(3));
        assert_eq!(pause(&headers(&[reset, ("retry-after", "Mon, 05 Oct 2026 12:00:20 GMT")])), Some(20));
        assert_eq!(pause(&headers(&[reset, ("retry-after", "soon")])), Some(7));
        assert_eq!(pause(&headers(&[reset, ("retry-after", "0")])), Some(0));
    }

    #[test]
    fn a_wrong_clock_here_does_not_change_the_pause() {
        // The service's clock is an hour ahead of ours.
        let ahead = headers(&[
            ("date", "Mon, 05 Oct 2026 13:00:00 GMT"),
            ("x-ve-limit-expires", "2026-10-05 13:00:05 UTC"),
        ]);
        assert_eq!(pause(&ahead), Some(5));
    }

    #[test]
    fn absurd_and_missing_values_are_bounded() {
        assert_eq!(pause(&headers(&[])), Some(60));
        assert_eq!(pause(&headers(&[("x-ve-limit-expires", "nonsense")])), Some(60));
        assert_eq!(pause(&headers(&[("x-ve-limit-expires", "99999999999999999999")])), Some(60));
        assert_eq!(pause(&headers(&[("x-ve-limit-expires", "2099-01-01 00:00:00 UTC")])), Some(3600));
        assert_eq!(pause(&headers(&[("x-ve-limit-expires", "2001-01-01 00:00:00 UTC")])), Some(1));
        assert_eq!(pause(&headers(&[("retry-after", "18446744073709551615")])), Some(3600));
        assert_eq!(retry_at(StatusCode::BAD_GATEWAY, &headers(&[]), noon()), None);
    }
}
