//! A reply, from its head to its fields.

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::envelope::{self, Head, MAX_REPLY};
use crate::error::{Error, ErrorKind};
use crate::limit;

/// Longest request id that is kept.
const MAX_REQUEST_ID: usize = 128;

/// Which call a reply belongs to.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) operation: &'static str,
    pub(super) by_token: bool,
    /// The key or token of the call, to take it out of texts that echo it.
    pub(super) secret: SecretString,
}

/// A reply whose body was read and not yet opened.
#[derive(Debug)]
pub(crate) struct Reply {
    origin: Origin,
    head: Head,
    body: Bytes,
}

pub(super) fn request_id(response: &Response) -> Option<String> {
    let id = response.headers().get("x-ve-reqid")?.to_str().ok()?;
    Some(id.chars().filter(char::is_ascii_graphic).take(MAX_REQUEST_ID).collect())
}

pub(super) fn head(by_token: bool, response: &Response) -> Head {
    Head {
        status: response.status().as_u16(),
        request_id: request_id(response),
        retry_at: limit::retry_at(response.status(), response.headers(), SystemTime::now()),
        by_token,
    }
}

pub(super) async fn read_reply(origin: Origin, mut response: Response) -> Result<Reply, Error> {
    let head = head(origin.by_token, &response);
    let mut body = BytesMut::new();
    while let Some(part) =
        response.chunk().await.map_err(|error| Error::transport(origin.operation, error))?
    {
        if body.len().saturating_add(part.len()) > MAX_REPLY {
            let problem = format!("it is longer than {MAX_REPLY} bytes");
            return Err(Error::new(origin.operation, head.broken(problem)));
        }
        body.extend_from_slice(&part);
    }
    Ok(Reply { origin, head, body: body.freeze() })
}

impl Reply {
    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    /// The fields of a successful reply.
    pub(crate) fn fields(&self) -> Result<Map<String, Value>, Error> {
        envelope::open(&self.head, &self.body).map_err(|kind| self.error(kind))
    }

    /// The fields, whatever the reply says about success.
    pub(crate) fn any_fields(&self) -> Result<Map<String, Value>, Error> {
        envelope::parse_any(&self.head, &self.body).map_err(|kind| self.error(kind))
    }

    /// Fields as a type.
    pub(crate) fn read<T: DeserializeOwned>(&self, fields: Map<String, Value>) -> Result<T, Error> {
        serde_json::from_value(Value::Object(fields)).map_err(|error| self.broken(error.to_string()))
    }

    pub(crate) fn broken(&self, problem: impl Into<String>) -> Error {
        self.error(self.head.broken(problem))
    }

    fn error(&self, mut kind: ErrorKind) -> Error {
        kind.redact(self.origin.secret.expose_secret());
        Error::new(self.origin.operation, kind)
    }
}
