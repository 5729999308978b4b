//! The JSON envelope: one place that turns answers and errors into HTTP responses.
//!
//! Handlers return a [`Reply`] or an [`ApiError`]; both travel as an extension of the response
//! and are rendered by [`render`], which knows the operation that was called. Anything without a
//! [`Payload`] (file bytes) passes through.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

const API_VERSION: &str = "1.0";

/// Numbers in `error.code`. Classes (16xx) where no specific number is published.
pub(crate) mod code {
    pub(crate) const BAD_INPUT: u32 = 1605;
    pub(crate) const NOT_FOUND: u32 = 1609;
    pub(crate) const CONFLICT: u32 = 1660;
    pub(crate) const RATE_LIMITED: u32 = 1671;
    pub(crate) const ACCESS_DENIED: u32 = 1680;
    pub(crate) const UNKNOWN_ROUTE: u32 = 9_992;
    pub(crate) const UNAUTHORIZED: u32 = 10_011;
    pub(crate) const NOT_ADMIN: u32 = 10_767;
    pub(crate) const EVENT_SCOPE: u32 = 10_262;
    pub(crate) const UPLOAD_SIZE: u32 = 10_522;
    pub(crate) const CRC_MISMATCH: u32 = 10_778;
    pub(crate) const CRC_CONFLICT: u32 = 10_779;
    pub(crate) const NODE_NOT_FOUND: u32 = 133_123;
    pub(crate) const NOTHING_READABLE: u32 = 135_626;
    pub(crate) const PATTERN_TOO_LONG: u32 = 144_711;
    pub(crate) const STORAGE: u32 = 146_256;
    pub(crate) const CONTENT_GONE: u32 = 146_950;
    pub(crate) const CHANGE_CURSOR: u32 = 158_008;
    pub(crate) const CURSOR_EXPIRED: u32 = 187_907;
    pub(crate) const MALFORMED_ID: u32 = 191_878;
    pub(crate) const LIMIT: u32 = 207_321;
}

/// The shape around an answer. By default today's; `yes_no` and `nested` are those of before, which
/// the official client still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Form {
    /// `"yes"` and `"no"` in `result`.
    pub(crate) yes_no: bool,
    /// The keys of a successful answer below `response`.
    pub(crate) nested: bool,
}

impl Form {
    fn result(self, good: bool) -> Value {
        match (self.yes_no, good) {
            (false, good) => good.into(),
            (true, true) => "yes".into(),
            (true, false) => "no".into(),
        }
    }
}

/// What the response will say, before it is rendered.
#[derive(Debug, Clone)]
enum Payload {
    Success(Map<String, Value>),
    Failure(ApiError),
}

/// A successful answer: named keys that go to the top level of the envelope.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: StatusCode,
    body: Map<String, Value>,
}

impl Reply {
    pub(crate) fn new() -> Self {
        Self { status: StatusCode::OK, body: Map::new() }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Serialize) -> Self {
        // Everything given here is made of strings, numbers, lists and maps with string keys,
        // which always serialise.
        self.body.insert(key.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Payload::Success(self.body));
        response
    }
}

/// A failed call, in the service's error object.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status} {code}: {text}")]
pub(crate) struct ApiError {
    status: StatusCode,
    code: u32,
    text: String,
    params: Option<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Keys beside `error`, for the calls that answer a body of their own on failure.
    extra: Map<String, Value>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: u32, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), params: None, headers: Vec::new(), extra: Map::new() }
    }

    pub(crate) fn code(&self) -> u32 {
        self.code
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn params(mut self, params: Value) -> Self {
        self.params = Some(params);
        self
    }

    pub(crate) fn extra(mut self, key: &str, value: impl Serialize) -> Self {
        self.extra.insert(key.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    pub(crate) fn unauthorized(text: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHORIZED, text)
    }

    pub(crate) fn unknown_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, code::UNKNOWN_ROUTE, "There is no such route")
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, format!("The {what} was not found"))
    }

    pub(crate) fn node_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NODE_NOT_FOUND, "The storage node was not found")
    }

    pub(crate) fn malformed_id(name: &str) -> Self {
        Self::input(code::MALFORMED_ID, name, "invalid", "not a well-formed opaque id", "opaque id")
    }

    pub(crate) fn missing(name: &str, expected: &str) -> Self {
        Self::input(code::BAD_INPUT, name, "missing", "is required", expected)
    }

    pub(crate) fn invalid(name: &str, message: &str, expected: &str) -> Self {
        Self::input(code::BAD_INPUT, name, "invalid", message, expected)
    }

    /// Input validation: HTTP 406 (not 400), with one entry in `params`.
    pub(crate) fn input(code: u32, name: &str, kind: &str, message: &str, expected: &str) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, code, format!("The parameter `{name}` {message}")).params(
            json!([{ "name": name, "kind": kind, "code": code, "message": message, "expected_type": expected }]),
        )
    }

    /// HTTP 409 with the reason that clients branch on.
    pub(crate) fn conflict(reason: &str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code::CONFLICT, text).params(json!({ "reason": reason }))
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the state database failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::STORAGE, format!("state database: {error}"))
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(%error, "the blob store failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::STORAGE, format!("blob store: {error}"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers.clone());
        response.extensions_mut().insert(Payload::Failure(self));
        response
    }
}

/// Renders the body of a response. `resource` is what was called, such as `GET storage.details`.
pub(crate) fn render(mut response: Response, resource: &str, form: Form) -> Response {
    let Some(payload) = response.extensions_mut().remove::<Payload>() else {
        return response;
    };
    let mut body = Map::new();
    match payload {
        Payload::Success(keys) => {
            body.insert("result".to_owned(), form.result(true));
            if form.nested {
                body.insert("response".to_owned(), Value::Object(keys));
            } else {
                body.extend(keys);
            }
            body.insert("current_api_version".to_owned(), API_VERSION.into());
        }
        Payload::Failure(error) => {
            let mut object = json!({ "code": error.code, "text": error.text, "resource": resource });
            if let (Some(object), Some(params)) = (object.as_object_mut(), error.params) {
                object.insert("params".to_owned(), params);
            }
            body.insert("result".to_owned(), form.result(false));
            body.insert("error".to_owned(), object);
            body.extend(error.extra);
        }
    }
    *response.body_mut() = Body::from(Value::Object(body).to_string());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}
