//! The date forms of the service.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `YYYY-MM-DD HH:MM:SS[.ffffff] UTC` (what replies really carry), ISO 8601 with a zone (what the documentation
/// says) or Unix seconds (one of the two forms of the rate limit's reset).
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    if let Some(civil) = text.strip_suffix("UTC") {
        return utc(civil.trim_end());
    }
    // ISO 8601 without a zone: every date of the service is UTC.
    text.parse().ok().or_else(|| utc(text))
}

fn utc(text: &str) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()
}

/// Reads an HTTP date, `Mon, 05 Oct 2026 12:00:00 GMT` (RFC 9110 section 5.6.7; the two obsolete forms are not read).
pub(crate) fn parse_http(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text.trim()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_form_is_the_same_moment() {
        let expected: Timestamp = "2026-05-07T09:08:07Z".parse().unwrap();
        for text in [
            "2026-05-07 09:08:07 UTC",
            "2026-05-07T09:08:07Z",
            "2026-05-07T11:08:07+02:00",
            "2026-05-07 09:08:07",
            "1778144887",
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        let micro = parse("2026-05-07 09:08:07.123456 UTC").unwrap();
        assert_eq!(micro.as_microsecond() - expected.as_microsecond(), 123_456);
        assert_eq!(parse_http("Thu, 07 May 2026 09:08:07 GMT"), Some(expected));
    }

    #[test]
    fn nonsense_is_no_date() {
        for text in ["", "UTC", "yesterday", "2026-13-01 00:00:00 UTC", "99999999999999999999", "-5"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse_http("2026"), None);
    }
}
