//! Rate limits per API key, told in the `x-ve-limit-*` headers of every answer.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::{
    envelope::{ApiError, code},
    faults::ExpiresForm,
    time::Instant,
};

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy)]
struct Rule {
    calls: u32,
    seconds: i64,
}

/// The only published numbers: those of `/events/search/`.
const EVENTS_SEARCH: [Rule; 3] =
    [Rule { calls: 5, seconds: 3 }, Rule { calls: 15, seconds: 30 }, Rule { calls: 120, seconds: 600 }];

/// What a key has left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    available: u32,
    max: u32,
    /// Unix seconds at which the count starts again.
    expires: i64,
    form: ExpiresForm,
}

impl Allowance {
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert("x-ve-limit-avail", HeaderValue::from(self.available));
        headers.insert("x-ve-limit-max", HeaderValue::from(self.max));
        headers.insert("x-ve-limit-expires", expires_value(Instant::from_seconds(self.expires), self.form));
    }

    pub(crate) fn refusal(self) -> ApiError {
        ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::RATE_LIMITED,
            format!("Too many calls: {} are allowed", self.max),
        )
    }
}

/// The value of `x-ve-limit-expires`. Sources disagree on its form.
pub(crate) fn expires_value(expires: Instant, form: ExpiresForm) -> HeaderValue {
    match form {
        ExpiresForm::Epoch => HeaderValue::from(expires.seconds()),
        ExpiresForm::Date => {
            HeaderValue::from_str(&expires.civil()).unwrap_or_else(|_| HeaderValue::from(expires.seconds()))
        }
    }
}

/// Counters in fixed windows that start with the first call.
#[derive(Debug)]
pub(crate) struct RateLimits {
    general: Rule,
    form: ExpiresForm,
    windows: Mutex<HashMap<(String, &'static str, i64), Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start: i64,
    used: u32,
}

impl RateLimits {
    /// `per_minute`: calls of one key, over all operations. No general number is published.
    pub(crate) fn new(per_minute: u32, form: ExpiresForm) -> Self {
        Self { general: Rule { calls: per_minute, seconds: 60 }, form, windows: Mutex::default() }
    }

    /// What somebody without a key sees.
    pub(crate) fn untouched(&self) -> Allowance {
        Allowance {
            available: self.general.calls,
            max: self.general.calls,
            expires: Instant::now().seconds() + self.general.seconds,
            form: self.form,
        }
    }

    /// Counts a call. The error is the allowance that is used up.
    pub(crate) fn take(&self, key: &str, operation: &'static str) -> Result<Allowance, Allowance> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now().seconds();
        let mut count = |operation, rule| count(&mut windows, (key, operation, rule), now, self.form);
        let mut tightest = count("", self.general)?;
        if operation == "events.search" {
            for rule in EVENTS_SEARCH {
                let allowance = count(operation, rule)?;
                if allowance.available <= tightest.available {
                    tightest = allowance;
                }
            }
        }
        Ok(tightest)
    }
}

fn count(
    windows: &mut HashMap<(String, &'static str, i64), Window>,
    (key, operation, rule): (&str, &'static str, Rule),
    now: i64,
    form: ExpiresForm,
) -> Result<Allowance, Allowance> {
    let window =
        windows.entry((key.to_owned(), operation, rule.seconds)).or_insert(Window { start: now, used: 0 });
    if now >= window.start + rule.seconds {
        *window = Window { start: now, used: 0 };
    }
    let spent = window.used >= rule.calls;
    if !spent {
        window.used += 1;
    }
    let allowance = Allowance {
        available: rule.calls - window.used,
        max: rule.calls,
        expires: window.start + rule.seconds,
        form,
    };
    if spent { Err(allowance) } else { Ok(allowance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_search_within_three_seconds_is_refused() {
        let limits = RateLimits::new(1000, ExpiresForm::Epoch);
        for left in (0..5).rev() {
            assert_eq!(limits.take("key", "events.search").unwrap().available, left);
        }
        assert!(limits.take("key", "events.search").is_err());
        assert!(limits.take("another key", "events.search").is_ok());
        assert!(limits.take("key", "storage.list").is_ok());
    }
}
