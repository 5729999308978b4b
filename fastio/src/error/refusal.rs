//! What the service said when it refused a call.

use std::fmt;
use std::time::SystemTime;

use super::{ErrorClass, HumanReason, class, request};

/// An error reply of the service, as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `error.code`: the 16xx numbers are classes, longer ones are specific.
    pub code: Option<u32>,
    /// `error.params.reason` or `error.reason`, for example `credits_exhausted`.
    pub reason: Option<String>,
    /// `error.text` (or `message`, or the flat `error_message`); shortened to 500 characters.
    pub text: Option<String>,
    /// `error.resource`: method, area and parameter that the service blames.
    pub resource: Option<String>,
    /// `error.params[]`, for replies that list what is missing or invalid.
    pub fields: Vec<InvalidField>,
    /// `error.params.current_version_id` of a version conflict.
    pub current_version: Option<crate::VersionId>,
    /// Header `x-ve-reqid`: what the service's support asks for.
    pub request_id: Option<String>,
    /// When the service said that the call may be made again (`Retry-After`, or the rate limit's reset with a 429).
    pub retry_at: Option<SystemTime>,
    /// The call was made with a download token and no key, so its 401 and 403 are about the token.
    pub by_token: bool,
}

/// A parameter that the service complains about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidField {
    /// Its name.
    pub name: String,
    /// It is not there; otherwise its value is wrong.
    pub missing: bool,
    /// The service's words.
    pub message: Option<String>,
    /// The type that the service expects, for example `int`.
    pub expected: Option<String>,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, missing, message, expected } = self;
        write!(f, "{name} is {}", if *missing { "missing" } else { "invalid" })?;
        match (message, expected) {
            (Some(message), _) => write!(f, " ({message})"),
            (None, Some(expected)) => write!(f, " (expected {expected})"),
            (None, None) => Ok(()),
        }
    }
}

impl Refusal {
    /// 9992: unknown or removed route (official CLI 0.2.13, `error.rs`).
    pub(crate) fn is_unknown_route(&self) -> bool {
        matches!(self.status, 404 | 410) && self.code == Some(9992)
    }

    pub(crate) fn is_token_refused(&self) -> bool {
        self.by_token && matches!(self.status, 401 | 403) && HumanReason::specific(self).is_none()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match class::of_refusal(self) {
            _ if self.is_token_refused() => f.write_str("the download token is not valid (any more)")?,
            ErrorClass::NeedsHuman(reason) => write!(f, "{reason}")?,
            _ => f.write_str(self.text.as_deref().unwrap_or("refused without a text"))?,
        }
        write!(f, " (HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, ", reason {reason}")?;
        }
        f.write_str(")")?;
        if !self.fields.is_empty() {
            let fields: Vec<_> = self.fields.iter().map(InvalidField::to_string).collect();
            write!(f, ": {}", fields.join(", "))?;
        }
        request(f, self.request_id.as_deref())
    }
}
