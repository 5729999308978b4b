//! Everything that a sender can be told.

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use crate::framing::FramingError;

/// Seconds after which a sender should try again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// What an answer means for the delivery, with one word for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Signed, and done with: the sender must not send it again.
    Acknowledged(&'static str),
    /// Our side: the sender should send it again.
    NotNow(&'static str),
    /// The sender's side.
    Fault(&'static str),
}

/// The answer to one request.
///
/// Everything that sending again cannot change is answered 200 once the signature is good: senders switch an endpoint
/// off after enough failures, and one odd event must not cost the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A workflow runs now.
    Accepted,
    /// A workflow of this event exists already.
    Duplicate,
    /// Signed, and of a kind that the webhook is not subscribed to.
    Filtered {
        /// Why.
        because: String,
    },
    /// Signed, and not about a file's life.
    UnknownEvent {
        /// What it is about instead.
        because: String,
    },
    /// Signed, and not an event.
    Unusable {
        /// What is wrong with it.
        problem: String,
    },
    /// Signed, an event, and one that Temporal will never take, whatever somebody repairs.
    Refused {
        /// What Temporal says.
        problem: String,
    },
    /// Anything wrong with the signature. Never says what: that would help only who has no secret.
    NotSigned,
    /// Another path than the webhook's.
    NotFound,
    /// Another method than POST.
    MethodNotAllowed,
    /// A message whose end two HTTP implementations could see in different places (RFC 9112 section 11.2).
    AmbiguousFraming(FramingError),
    /// Not HTTP/1.1. hyper answers this one.
    NotHttp,
    /// A head beyond the limit. hyper answers this one.
    HeadTooLarge,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The connection broke or the framing is wrong in the middle of the body.
    BrokenBody,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body is larger than the limit in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Not `application/json`.
    NotJson,
    /// A compressed body: what is signed is not what would be parsed.
    Encoded,
    /// One of many refused requests from the same address (see [`crate::abuse`]).
    Limited,
    /// All bodies in flight together are larger than the budget.
    Crowded,
    /// There is no usable signing secret, so nothing can be accepted.
    NoSecret,
    /// Temporal did not confirm the workflow: the sender has to deliver again.
    Unavailable,
}

impl Answer {
    /// What becomes of the delivery: the value of a metric's label.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Accepted => Outcome::Acknowledged("new"),
            Self::Duplicate => Outcome::Acknowledged("duplicate"),
            Self::Filtered { .. } => Outcome::Acknowledged("filtered"),
            Self::UnknownEvent { .. } => Outcome::Acknowledged("unknown_event"),
            Self::Unusable { .. } => Outcome::Acknowledged("unusable"),
            Self::Refused { .. } => Outcome::Acknowledged("refused"),
            Self::NotSigned => Outcome::Fault("not_signed"),
            Self::NotFound => Outcome::Fault("not_found"),
            Self::MethodNotAllowed => Outcome::Fault("method_not_allowed"),
            Self::AmbiguousFraming(_) => Outcome::Fault("ambiguous_framing"),
            Self::NotHttp => Outcome::Fault("not_http"),
            Self::HeadTooLarge => Outcome::Fault("head_too_large"),
            Self::HeadTimeout => Outcome::Fault("head_timeout"),
            Self::BrokenBody => Outcome::Fault("broken_body"),
            Self::BodyTimeout => Outcome::Fault("body_timeout"),
            Self::TooLarge { .. } => Outcome::Fault("too_large"),
            Self::NotJson => Outcome::Fault("not_json"),
            Self::Encoded => Outcome::Fault("encoded"),
            Self::Limited => Outcome::Fault("limited"),
            Self::Crowded => Outcome::NotNow("crowded"),
            Self::NoSecret => Outcome::NotNow("no_secret"),
            Self::Unavailable => Outcome::NotNow("unavailable"),
        }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::AmbiguousFraming(_) | Self::NotHttp | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::NotSigned => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::HeadTimeout | Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Limited => StatusCode::TOO_MANY_REQUESTS,
            Self::Crowded | Self::NoSecret | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Accepted
            | Self::Duplicate
            | Self::Filtered { .. }
            | Self::UnknownEvent { .. }
            | Self::Unusable { .. }
            | Self::Refused { .. } => StatusCode::OK,
        }
    }

    fn body(&self) -> serde_json::Value {
        match self {
            Self::Accepted => json!({"status": "accepted"}),
            Self::Duplicate => json!({"status": "duplicate"}),
            Self::Filtered { because } => json!({"status": "filtered", "because": because}),
            Self::UnknownEvent { because } => json!({"status": "unknown event", "because": because}),
            Self::Unusable { problem } => json!({"status": "unusable", "problem": problem}),
            Self::Refused { problem } => json!({"status": "refused", "problem": problem}),
            Self::NotSigned => json!({"error": "the request is not signed with this webhook's secret"}),
            Self::NotFound => json!({"error": "no webhook here"}),
            Self::MethodNotAllowed => json!({"error": "deliveries are sent with POST"}),
            Self::AmbiguousFraming(error) => json!({"error": format!("ambiguous request: {error}")}),
            Self::NotHttp => json!({"error": "not HTTP/1.1"}),
            Self::HeadTooLarge => json!({"error": "the head is too large"}),
            Self::HeadTimeout => json!({"error": "the head did not arrive in time"}),
            Self::BrokenBody => json!({"error": "the body is not complete"}),
            Self::BodyTimeout => json!({"error": "the body did not arrive in time"}),
            Self::TooLarge { limit } => {
                json!({"error": format!("the body is larger than {limit} bytes")})
            }
            Self::NotJson => json!({"error": "deliveries have the media type application/json"}),
            Self::Encoded => json!({"error": "deliveries are not compressed"}),
            Self::Limited => json!({"error": "too many refused requests from this address, send again"}),
            Self::Crowded => json!({"error": "too many bytes in flight, send again"}),
            Self::NoSecret => json!({"error": "the webhook is not ready, send again"}),
            Self::Unavailable => json!({"error": "the event could not be stored, send again"}),
        }
    }

    /// Whether the rest of the connection must not be read: bytes of this request may still be in it.
    fn ends_connection(&self) -> bool {
        match self.outcome() {
            Outcome::Acknowledged(_) => false,
            Outcome::NotNow(_) => *self != Self::Unavailable,
            Outcome::Fault(_) => true,
        }
    }

    /// The whole message, for a connection that hyper has given up.
    #[must_use]
    pub fn raw(&self) -> String {
        let body = self.body().to_string();
        format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.status(),
            body.len()
        )
    }

    /// The HTTP response. `closing` asks the sender to use another connection for what comes next.
    #[must_use]
    pub fn response(&self, closing: bool) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body().to_string())));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if *self == Self::MethodNotAllowed {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        if *self == Self::Limited || matches!(self.outcome(), Outcome::NotNow(_)) {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if closing || self.ends_connection() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_told_when_to_try_again() {
        for answer in [Answer::Crowded, Answer::NoSecret, Answer::Unavailable, Answer::Limited] {
            let response = answer.response(false);
            assert_eq!(response.status(), if answer == Answer::Limited { 429 } else { 503 });
            assert_eq!(response.headers()[RETRY_AFTER], "2");
        }
    }

    #[test]
    fn only_complete_requests_keep_their_connection() {
        assert!(!Answer::Accepted.response(false).headers().contains_key(CONNECTION));
        assert!(!Answer::Unavailable.response(false).headers().contains_key(CONNECTION));
        assert_eq!(Answer::Accepted.response(true).headers()[CONNECTION], "close");
        assert_eq!(Answer::TooLarge { limit: 1 }.response(false).headers()[CONNECTION], "close");
        assert_eq!(Answer::Crowded.response(false).headers()[CONNECTION], "close");
    }
}
