//! What can go wrong with a call, and what the caller should do about it.

mod class;
mod human;

use std::fmt;
use std::time::{Duration, SystemTime};

pub use class::ErrorClass;
pub use human::HumanReason;

use crate::key::KeyError;

/// A failed call.
///
/// It names the operation, keeps everything that the service said (status, code, reason, text, request id), and
/// tells what to do about it in [`Error::class`]. It never holds a key, a token or a URL (a download URL carries
/// its token).
#[derive(Debug)]
pub struct Error {
    operation: &'static str,
    // Boxed, so that every `Result` of the crate stays small.
    kind: Box<ErrorKind>,
}

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No call was made: there is no usable API key.
    Key(KeyError),
    /// No call was made: an argument breaks a documented rule of the service.
    Argument {
        /// The argument.
        field: &'static str,
        /// The rule that it breaks, and the way out.
        problem: String,
    },
    /// No call was made: the service told this client to wait longer than a call may take.
    Held {
        /// When calls may start again.
        until: SystemTime,
    },
    /// No reply, or half of one: connect, TLS, timeout, reset. The URL is not in it.
    Transport(reqwest::Error),
    /// The service answered with an error.
    Refused(Box<Refusal>),
    /// A reply that cannot be understood.
    Broken {
        /// HTTP status of the reply.
        status: u16,
        /// The service's id of the request.
        request_id: Option<String>,
        /// What is wrong with the reply.
        problem: String,
    },
}

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
    /// `error.params[].name` with the problem, for replies that list what is missing or invalid.
    pub fields: Vec<String>,
    /// `error.params.current_version_id` of a version conflict.
    pub current_version: Option<crate::VersionId>,
    /// Header `x-ve-reqid`: what the service's support asks for.
    pub request_id: Option<String>,
    /// When the service said that the call may be made again (`Retry-After`, or the rate limit's reset with a 429).
    pub retry_at: Option<SystemTime>,
    /// The call was made with a download token and no key, so its 401 and 403 are about the token.
    pub by_token: bool,
}

impl Error {
    pub(crate) fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self { operation, kind: Box::new(kind) }
    }

    pub(crate) fn argument(operation: &'static str, field: &'static str, problem: impl Into<String>) -> Self {
        Self::new(operation, ErrorKind::Argument { field, problem: problem.into() })
    }

    pub(crate) fn transport(operation: &'static str, error: reqwest::Error) -> Self {
        // The URL of a download carries the token.
        Self::new(operation, ErrorKind::Transport(error.without_url()))
    }

    /// The operation that failed, for example `storage.details`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What to do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        class::of(&self.kind)
    }

    /// How long to wait before the call is worth making again; `None` when the service did not say or when
    /// trying again is of no use.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.class() {
            ErrorClass::Retry { after } => after,
            ErrorClass::WaitUntil(at) => Some(at.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO)),
            _ => None,
        }
    }

    /// The service's error reply, if this is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &*self.kind {
            ErrorKind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// HTTP status of the reply.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &*self.kind {
            ErrorKind::Refused(refusal) => Some(refusal.status),
            ErrorKind::Broken { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The service's error code.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        self.refusal()?.code
    }

    /// The service's reason, a word in `snake_case`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.refusal()?.reason.as_deref()
    }

    /// The service's text for people.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.refusal()?.text.as_deref()
    }

    /// The service's id of the request (header `x-ve-reqid`).
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &*self.kind {
            ErrorKind::Refused(refusal) => refusal.request_id.as_deref(),
            ErrorKind::Broken { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// The download token was not accepted (expired, or made for another node): ask for a new one.
    #[must_use]
    pub fn is_token_refused(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_token_refused)
    }

    /// The service knows no such route (HTTP 404 with code 9992): a retired API, or a wrong base URL.
    #[must_use]
    pub fn is_unknown_route(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_unknown_route)
    }
}

impl ErrorKind {
    /// Takes a secret out of the texts that came from the service, should it ever echo one.
    pub(crate) fn redact(&mut self, secret: &str) {
        let clean = |text: &mut String| {
            if !secret.is_empty() && text.contains(secret) {
                *text = text.replace(secret, "[REDACTED]");
            }
        };
        match self {
            Self::Refused(refusal) => {
                let texts = [&mut refusal.text, &mut refusal.reason, &mut refusal.resource];
                texts.into_iter().flatten().chain(&mut refusal.fields).for_each(clean);
            }
            Self::Broken { problem, .. } => clean(problem),
            Self::Key(_) | Self::Argument { .. } | Self::Held { .. } | Self::Transport(_) => {}
        }
    }
}

impl Refusal {
    /// 9992: unknown or removed route (official CLI 0.2.13, `error.rs`).
    pub(crate) fn is_unknown_route(&self) -> bool {
        self.status == 404 && self.code == Some(9992)
    }

    pub(crate) fn is_token_refused(&self) -> bool {
        self.by_token && matches!(self.status, 401 | 403) && HumanReason::specific(self).is_none()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fast.io {}: ", self.operation)?;
        match &*self.kind {
            ErrorKind::Key(error) => write!(f, "{error}"),
            ErrorKind::Argument { field, problem } => write!(f, "{field}: {problem}"),
            ErrorKind::Held { .. } => f.write_str("the rate limit of this key is used up, no call was made"),
            ErrorKind::Transport(error) => {
                write!(f, "no complete reply: {error}")?;
                // The message of the HTTP library stops where the reason begins.
                let mut source = std::error::Error::source(error);
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
            ErrorKind::Refused(refusal) => write!(f, "{refusal}"),
            ErrorKind::Broken { status, request_id, problem } => {
                write!(f, "HTTP {status}, the reply cannot be understood: {problem}")?;
                request(f, request_id.as_deref())
            }
        }
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
            write!(f, ": {}", self.fields.join(", "))?;
        }
        request(f, self.request_id.as_deref())
    }
}

fn request(f: &mut fmt::Formatter<'_>, id: Option<&str>) -> fmt::Result {
    id.map_or(Ok(()), |id| write!(f, " [request {id}]"))
}

impl std::error::Error for Error {
    // The causes are part of the message already; a reporter that walks `source` must not print them twice.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

#[cfg(test)]
mod tests;
