//! Everything that a sender can be told.

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

/// Seconds after which a sender should try again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

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
    /// Signed, and of no interest.
    Filtered {
        /// Why.
        because: String,
    },
    /// Signed, and not an event.
    Unusable {
        /// What is wrong with it.
        problem: String,
    },
    /// Signed, an event, and one that Temporal will never take.
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
    AmbiguousFraming,
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
    /// All bodies in flight together are larger than the budget.
    Crowded,
    /// There is no usable signing secret, so nothing can be accepted.
    NoSecret,
    /// Temporal did not confirm the workflow: the sender has to deliver again.
    Unavailable,
}

impl Answer {
    /// The value of the metric's label.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Filtered { .. } => "filtered",
            Self::Unusable { .. } => "unusable",
            Self::Refused { .. } => "refused",
            Self::NotSigned => "not_signed",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AmbiguousFraming => "ambiguous_framing",
            Self::BrokenBody => "broken_body",
            Self::BodyTimeout => "body_timeout",
            Self::TooLarge { .. } => "too_large",
            Self::NotJson => "not_json",
            Self::Encoded => "encoded",
            Self::Crowded => "crowded",
            Self::NoSecret => "no_secret",
            Self::Unavailable => "unavailable",
        }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Accepted
            | Self::Duplicate
            | Self::Filtered { .. }
            | Self::Unusable { .. }
            | Self::Refused { .. } => StatusCode::OK,
            Self::AmbiguousFraming | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::NotSigned => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Crowded | Self::NoSecret | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn body(&self) -> serde_json::Value {
        match self {
            Self::Accepted => json!({"status": "accepted"}),
            Self::Duplicate => json!({"status": "duplicate"}),
            Self::Filtered { because } => json!({"status": "filtered", "because": because}),
            Self::Unusable { problem } => json!({"status": "unusable", "problem": problem}),
            Self::Refused { problem } => json!({"status": "refused", "problem": problem}),
            Self::NotSigned => json!({"error": "the request is not signed with this webhook's secret"}),
            Self::NotFound => json!({"error": "no webhook here"}),
            Self::MethodNotAllowed => json!({"error": "deliveries are sent with POST"}),
            Self::AmbiguousFraming => {
                json!({"error": "the end of the message is ambiguous: send either Content-Length or chunked, and CRLF"})
            }
            Self::BrokenBody => json!({"error": "the body is not complete"}),
            Self::BodyTimeout => json!({"error": "the body did not arrive in time"}),
            Self::TooLarge { limit } => {
                json!({"error": format!("the body is larger than {limit} bytes")})
            }
            Self::NotJson => json!({"error": "deliveries have the media type application/json"}),
            Self::Encoded => json!({"error": "deliveries are not compressed"}),
            Self::Crowded => json!({"error": "too many bytes in flight, send again"}),
            Self::NoSecret => json!({"error": "the webhook is not ready, send again"}),
            Self::Unavailable => json!({"error": "the event could not be stored, send again"}),
        }
    }

    /// Whether the rest of the connection must not be read: bytes of this request may still be in it.
    fn ends_connection(&self) -> bool {
        !matches!(
            self,
            Self::Accepted
                | Self::Duplicate
                | Self::Filtered { .. }
                | Self::Unusable { .. }
                | Self::Refused { .. }
                | Self::Unavailable
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
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
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
        for answer in [Answer::Crowded, Answer::NoSecret, Answer::Unavailable] {
            let response = answer.response(false);
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()[RETRY_AFTER], "2");
        }
    }

    #[test]
    fn only_complete_requests_keep_their_connection() {
        assert!(!Answer::Accepted.response(false).headers().contains_key(CONNECTION));
        assert_eq!(Answer::Accepted.response(true).headers()[CONNECTION], "close");
        assert_eq!(Answer::TooLarge { limit: 1 }.response(false).headers()[CONNECTION], "close");
    }
}
