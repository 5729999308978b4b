//! A reply, from its head to its fields.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::envelope::{self, Head, MAX_REPLY};
use crate::error::{Error, ErrorKind};
use crate::limit::{self, Limiter};

/// Longest request id that is kept.
const MAX_REQUEST_ID: usize = 128;

/// Which call a reply belongs to.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) operation: &'static str,
    pub(super) by_token: bool,
    /// The key or token of the call and what else is secret in it, to take it out of texts that echo it.
    pub(super) secrets: Vec<SecretString>,
    /// What the call was counted by.
    pub(super) limiter: Arc<Limiter>,
}

impl Origin {
    fn error(&self, mut kind: ErrorKind) -> Error {
        for secret in &self.secrets {
            kind.redact(secret.expose_secret());
        }
        Error::new(self.operation, kind)
    }

    fn transport(&self, head: &Head, error: reqwest::Error) -> Error {
        Error::transport(self.operation, error, head.request_id.clone())
    }
}

/// A successful reply whose body is still to be read.
#[derive(Debug)]
pub(crate) struct OpenReply {
    origin: Origin,
    head: Head,
    response: Response,
}

impl OpenReply {
    pub(super) fn new(origin: Origin, response: Response) -> Self {
        Self { head: head(origin.by_token, &response), origin, response }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Length of the body in bytes, if it is told.
    pub(crate) fn len(&self) -> Option<u64> {
        self.response.content_length()
    }

    pub(crate) fn broken(&self, problem: impl Into<String>) -> Error {
        self.origin.error(self.head.broken(problem))
    }

    /// The bytes of the body as they come.
    pub(crate) fn into_bytes(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        let Self { origin, head, response } = self;
        response.bytes_stream().map_err(move |error| origin.transport(&head, error))
    }
}

/// A reply whose body was read and not yet opened.
#[derive(Debug)]
pub(crate) struct Reply {
    origin: Origin,
    head: Head,
    body: Bytes,
}

pub(super) fn request_id(response: &Response) -> Option<String> {
    request_id_in(response.headers())
}

fn request_id_in(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-ve-reqid")?.to_str().ok()?;
    Some(id.chars().filter(char::is_ascii_graphic).take(MAX_REQUEST_ID).collect())
}

fn head(by_token: bool, response: &Response) -> Head {
    head_of(response.status(), response.headers(), by_token)
}

pub(crate) fn head_of(status: StatusCode, headers: &HeaderMap, by_token: bool) -> Head {
    Head {
        status: status.as_u16(),
        request_id: request_id_in(headers),
        retry_at: limit::retry_at(status, headers, SystemTime::now()),
        by_token,
    }
}

/// Reads a body to its end. `within` is for calls that have no limit of time themselves: they may be answered with an error
/// page that does not end.
pub(super) async fn read_reply(
    origin: Origin,
    mut response: Response,
    within: Option<Duration>,
) -> Result<Reply, Error> {
    let head = head(origin.by_token, &response);
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(|error| origin.transport(&head, error))? {
            if body.len().saturating_add(part.len()) > MAX_REPLY {
                let problem = format!("it is longer than {MAX_REPLY} bytes");
                return Err(origin.error(head.broken(problem)));
            }
            body.extend_from_slice(&part);
        }
        Ok(body.freeze())
    };
    let body = match within {
        None => reading.await?,
        Some(within) => tokio::time::timeout(within, reading)
            .await
            .map_err(|_| origin.error(head.foreign(format!("it did not end within {within:?}"))))??,
    };
    Ok(Reply { origin, head, body })
}

impl Reply {
    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    /// The limiter of the key that made the call.
    pub(crate) fn limiter(&self) -> Arc<Limiter> {
        self.origin.limiter.clone()
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

    fn error(&self, kind: ErrorKind) -> Error {
        self.origin.error(kind)
    }

    /// A reply that came from nowhere.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn made_of(head: Head, body: &[u8]) -> Self {
        let origin = Origin {
            operation: "made",
            by_token: head.by_token,
            secrets: vec![SecretString::from("a secret key")],
            limiter: Arc::new(Limiter::new(0.0)),
        };
        Self { origin, head, body: Bytes::copy_from_slice(body) }
    }
}
