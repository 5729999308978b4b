//! Extractors for query strings, form bodies and JSON bodies whose rejections are the service's
//! validation errors (HTTP 406), not those of the web framework.

use std::{collections::HashMap, ops::RangeInclusive, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde_json::{Map, Value};

use crate::envelope::{ApiError, code};

/// Form and JSON bodies are small; only chunks and files are not, and those are streamed.
const LARGEST_BODY: usize = 1 << 20;

/// Parameters by name, from the query string or from a form.
#[derive(Debug, Default, Clone)]
pub(crate) struct Params(HashMap<String, String>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(crate) fn insert(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }

    /// The parameters of both, those of `self` first.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.optional(name).ok_or_else(|| ApiError::missing(name, "string"))
    }

    /// A whole number in a range, or `None` when it is not given.
    pub(crate) fn number<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<Option<T>, ApiError>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.optional(name) else { return Ok(None) };
        text.parse().ok().filter(|value| range.contains(value)).map(Some).ok_or_else(|| {
            let message = format!("must be a whole number from {} to {}", range.start(), range.end());
            ApiError::input(limit_code(name), name, "invalid", &message, "int")
        })
    }

    pub(crate) fn required_number<T>(&self, name: &str, range: RangeInclusive<T>) -> Result<T, ApiError>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        self.number(name, range)?.ok_or_else(|| ApiError::missing(name, "int"))
    }

    pub(crate) fn one_of<'a>(&'a self, name: &str, choices: &[&'a str]) -> Result<Option<&'a str>, ApiError> {
        match self.optional(name) {
            Some(value) if !choices.contains(&value) => {
                let message = format!("must be one of {}", choices.join(", "));
                Err(ApiError::invalid(name, &message, "string"))
            }
            value => Ok(value),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.optional(name) {
            None | Some("0" | "false" | "no") => Ok(false),
            Some("1" | "true" | "yes") => Ok(true),
            Some(_) => Err(ApiError::invalid(name, "must be true or false", "bool")),
        }
    }

    /// Refuses parameters that the real service has and this simulator does not simulate:
    /// answering as if they had worked would hide a mistake of the caller.
    pub(crate) fn refuse(&self, names: &[&str]) -> Result<(), ApiError> {
        match names.iter().find(|name| self.optional(name).is_some()) {
            Some(name) => Err(ApiError::invalid(name, "is not simulated", "none")),
            None => Ok(()),
        }
    }
}

fn limit_code(name: &str) -> u32 {
    if name == "limit" { code::LIMIT } else { code::BAD_INPUT }
}

/// The parameters of the query string.
pub(crate) struct Query(pub(crate) Params);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(Params::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// The parameters of an `application/x-www-form-urlencoded` body; an empty body has none.
pub(crate) struct Form(pub(crate) Params);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let typed = is_type(request.headers(), "application/x-www-form-urlencoded");
        let body = read(request).await?;
        if !typed && !body.is_empty() {
            return Err(ApiError::invalid(
                "Content-Type",
                "must be application/x-www-form-urlencoded",
                "header",
            ));
        }
        Ok(Self(Params::parse(&body)))
    }
}

/// A JSON object.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_type(request.headers(), "application/json") {
            return Err(ApiError::invalid("Content-Type", "must be application/json", "header"));
        }
        match serde_json::from_slice(&read(request).await?) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(ApiError::invalid("body", "must be a JSON object", "object")),
            Err(error) => Err(ApiError::invalid("body", &format!("is not JSON: {error}"), "object")),
        }
    }
}

async fn read(request: Request) -> Result<Bytes, ApiError> {
    axum::body::to_bytes(request.into_body(), LARGEST_BODY)
        .await
        .map_err(|error| ApiError::invalid("body", &format!("could not be read: {error}"), "body"))
}

/// Whether the request has that media type, whatever its parameters.
pub(crate) fn is_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
}
