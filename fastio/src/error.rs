//! What can go wrong with a call, and what the caller should do about it.

mod class;
mod human;
mod refusal;

use std::fmt;
use std::time::{Duration, SystemTime};

pub use class::ErrorClass;
pub use human::HumanReason;
pub use refusal::{InvalidField, Refusal};

use crate::key::KeyError;

/// What stands in a text for a secret.
const REDACTED: &str = "[REDACTED]";
/// Shortest part of a secret that is taken out of a text, in bytes. What is shorter tells nobody anything, and is found in
/// many words.
const SHORTEST_PART: usize = 6;

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
    /// No reply, or half of one: connect, TLS, timeout, reset.
    Transport {
        /// What happened. The URL is not in it.
        error: reqwest::Error,
        /// The service's id of the request, if the reply came that far.
        request_id: Option<String>,
    },
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

impl Error {
    pub(crate) fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self { operation, kind: Box::new(kind) }
    }

    pub(crate) fn argument(operation: &'static str, field: &'static str, problem: impl Into<String>) -> Self {
        Self::new(operation, ErrorKind::Argument { field, problem: problem.into() })
    }

    pub(crate) fn transport(
        operation: &'static str,
        error: reqwest::Error,
        request_id: Option<String>,
    ) -> Self {
        // The URL of a download carries the token.
        Self::new(operation, ErrorKind::Transport { error: error.without_url(), request_id })
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
            ErrorKind::Broken { request_id, .. } | ErrorKind::Transport { request_id, .. } => {
                request_id.as_deref()
            }
            ErrorKind::Key(_) | ErrorKind::Argument { .. } | ErrorKind::Held { .. } => None,
        }
    }

    /// The download token was not accepted (expired, or made for another node): ask for a new one.
    #[must_use]
    pub fn is_token_refused(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_token_refused)
    }

    /// The service knows no such route (HTTP 404 or 410 with code 9992): a retired API, or a wrong base URL.
    #[must_use]
    pub fn is_unknown_route(&self) -> bool {
        self.refusal().is_some_and(Refusal::is_unknown_route)
    }

    /// This key may not make the call (403), what it is about is not to be seen with this key (404, 410), or the service has
    /// no such call: whoever knows another way takes that. A key that is not accepted at all (401), a plan that has run
    /// out (402) and what passes by itself are no reason for that.
    #[must_use]
    pub fn is_closed_to_key(&self) -> bool {
        self.status() == Some(403) || self.is_unknown_route() || self.class() == ErrorClass::Gone
    }
}

impl ErrorKind {
    /// Takes a secret out of the texts that came from the service, should it ever echo one. They are cut to their lengths
    /// already, maybe inside of it.
    pub(crate) fn redact(&mut self, secret: &str) {
        let clean = |text: &mut String| {
            if !secret.is_empty() && text.contains(secret) {
                *text = text.replace(secret, REDACTED);
            }
            if let Some(start) = start_of_cut(text, secret) {
                text.truncate(start);
                text.push_str(REDACTED);
            }
        };
        match self {
            Self::Refused(refusal) => {
                let texts = [&mut refusal.text, &mut refusal.reason, &mut refusal.resource];
                texts.into_iter().flatten().for_each(clean);
                for field in &mut refusal.fields {
                    let words = [&mut field.message, &mut field.expected].into_iter().flatten();
                    words.chain([&mut field.name]).for_each(clean);
                }
            }
            Self::Broken { problem, .. } => clean(problem),
            Self::Key(_) | Self::Argument { .. } | Self::Held { .. } | Self::Transport { .. } => {}
        }
    }
}

/// Where a text's end begins that is a part of a secret from its beginning.
fn start_of_cut(text: &str, secret: &str) -> Option<usize> {
    let longest = secret.len().min(text.len());
    let mut parts = (SHORTEST_PART..=longest).rev().filter_map(|length| secret.get(..length));
    parts.find(|part| text.ends_with(part)).map(|part| text.len() - part.len())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fast.io {}: ", self.operation)?;
        match &*self.kind {
            ErrorKind::Key(error) => write!(f, "{error}"),
            ErrorKind::Argument { field, problem } => write!(f, "{field}: {problem}"),
            ErrorKind::Held { .. } => f.write_str("the rate limit of this key is used up, no call was made"),
            ErrorKind::Transport { error, request_id } => {
                write!(f, "no complete reply: {error}")?;
                // The message of the HTTP library stops where the reason begins.
                let mut source = std::error::Error::source(error);
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                request(f, request_id.as_deref())
            }
            ErrorKind::Refused(refusal) => write!(f, "{refusal}"),
            ErrorKind::Broken { status, request_id, problem } => {
                write!(f, "HTTP {status}, the reply cannot be understood: {problem}")?;
                request(f, request_id.as_deref())
            }
        }
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
