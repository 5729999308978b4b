//! Instants and the two date forms of the real service.

use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Serialize, Serializer};

static LAST: AtomicI64 = AtomicI64::new(0);

/// Microseconds since the Unix epoch. Serialises as `YYYY-MM-DD HH:MM:SS UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(i64);

impl Instant {
    /// The present. Never the same twice in one process, so that it orders what happened.
    pub(crate) fn now() -> Self {
        let clock = jiff::Timestamp::now().as_microsecond();
        let previous = LAST.fetch_max(clock, Ordering::Relaxed);
        if clock > previous {
            return Self(clock);
        }
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) const fn micros(self) -> i64 {
        self.0
    }

    pub(crate) const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    pub(crate) const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    pub(crate) fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// `2026-07-20 09:15:00 UTC`
    pub(crate) fn civil(self) -> String {
        self.format("%Y-%m-%d %H:%M:%S UTC")
    }

    /// `2026-07-20 09:15:00.123456 UTC`, the form of activity timestamps.
    pub(crate) fn civil_micros(self) -> String {
        self.format("%Y-%m-%d %H:%M:%S.%6f UTC")
    }

    /// `2026-07-20T09:15:00Z`, the form of the guide's webhook payload.
    pub(crate) fn iso(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// `09:15:00`
    pub(crate) fn time_of_day(self) -> String {
        self.format("%H:%M:%S")
    }

    fn format(self, form: &str) -> String {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or_default().strftime(form).to_string()
    }

    /// Reads both date forms of the service, with or without fractions of a second.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bare = text.trim().trim_end_matches("UTC").trim_end().trim_end_matches('Z');
        let iso = format!("{}Z", bare.replacen(' ', "T", 1));
        iso.parse::<jiff::Timestamp>().ok().map(|instant| Self(instant.as_microsecond()))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.civil())
    }
}

impl ToSql for Instant {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Instant {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let civil = Instant::parse("2026-07-20 09:15:00 UTC").unwrap();
        assert_eq!(Some(civil), Instant::parse("2026-07-20T09:15:00Z"));
        assert_eq!(civil.civil(), "2026-07-20 09:15:00 UTC");
        let exact = Instant::parse("2026-07-20 09:15:00.000123 UTC").unwrap();
        assert_eq!(exact.micros() - civil.micros(), 123);
        assert_eq!(Instant::parse(&exact.civil_micros()), Some(exact));
        assert_eq!(Instant::parse("yesterday"), None);
    }

    #[test]
    fn now_is_strictly_increasing() {
        let times: Vec<_> = (0..1000).map(|_| Instant::now()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
