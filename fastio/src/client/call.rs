//! One call, from its arguments to the opened reply.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::Client;
use super::reply::{OpenReply, Origin, Reply, read_reply};
use crate::error::{Error, ErrorKind};
use crate::key::KeyError;
use crate::limit::{self, Limiter};

/// Longest time of a call with a small body.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Pauses before a GET is tried again inside a call, for a connection that was just being replaced. Anything longer
/// is left to the caller, who sees it.
const QUICK_RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];
/// Latest moment of a failure after which that is done. A long poll that a proxy has ended is not passing: a second one
/// would not end within the time of the call.
const QUICK_FAILURE: Duration = Duration::from_secs(5);

/// What a call proves itself with.
#[derive(Debug)]
pub(crate) enum Credential {
    /// The API key, in the header `Authorization`.
    Key,
    /// A download token, in the query; no `Authorization`. The limiter is that of the key that made it.
    Token(SecretString, Arc<Limiter>),
}

/// A call that is being put together.
#[derive(Debug)]
pub(crate) struct Call<'c> {
    client: &'c Client,
    operation: &'static str,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Payload,
    credential: Credential,
    /// What no error may show, apart from the credential.
    secrets: Vec<SecretString>,
    timeout: Option<Duration>,
}

#[derive(Debug)]
enum Payload {
    None,
    Form(Vec<(&'static str, String)>),
    Json(Value),
    Multipart(Form),
}

impl Client {
    pub(crate) fn get(&self, operation: &'static str, path: &[&str]) -> Call<'_> {
        self.call(operation, Method::GET, path)
    }

    pub(crate) fn post(&self, operation: &'static str, path: &[&str]) -> Call<'_> {
        self.call(operation, Method::POST, path)
    }

    pub(crate) fn patch(&self, operation: &'static str, path: &[&str]) -> Call<'_> {
        self.call(operation, Method::PATCH, path)
    }

    pub(crate) fn delete(&self, operation: &'static str, path: &[&str]) -> Call<'_> {
        self.call(operation, Method::DELETE, path)
    }

    fn call(&self, operation: &'static str, method: Method, path: &[&str]) -> Call<'_> {
        Call {
            client: self,
            operation,
            method,
            url: self.inner.base.join(path),
            headers: HeaderMap::new(),
            body: Payload::None,
            credential: Credential::Key,
            secrets: Vec::new(),
            timeout: Some(CALL_TIMEOUT),
        }
    }
}

impl Call<'_> {
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    pub(crate) fn maybe_query(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn form(mut self, fields: Vec<(&'static str, String)>) -> Self {
        self.body = Payload::Form(fields);
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Payload::Json(body);
        self
    }

    pub(crate) fn multipart(mut self, form: Form) -> Self {
        self.body = Payload::Multipart(form);
        self
    }

    /// No error shows this, even if the service echoes it.
    pub(crate) fn hiding(mut self, secret: &str) -> Self {
        self.secrets.push(SecretString::from(secret));
        self
    }

    /// Uses a download token in place of the key, and the limiter of the key that made it.
    pub(crate) fn token(mut self, token: SecretString, limiter: Arc<Limiter>) -> Self {
        self.url.query_pairs_mut().append_pair("token", token.expose_secret());
        self.credential = Credential::Token(token, limiter);
        self
    }

    /// More time than a call with a small body and a prompt answer gets.
    pub(crate) fn extra_time(mut self, extra: Duration) -> Self {
        self.timeout = self.timeout.map(|timeout| timeout.saturating_add(extra));
        self
    }

    /// No limit for the whole reply, only for silence in it.
    pub(crate) fn streamed(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// Makes the call and reads the fields of a successful reply.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let reply = self.reply().await?;
        let fields = reply.fields()?;
        reply.read(fields)
    }

    /// Makes a call whose successful reply has nothing of interest.
    pub(crate) async fn done(self) -> Result<(), Error> {
        self.reply().await?.fields().map(drop)
    }

    /// Makes the call and reads the reply's body, whatever it says.
    pub(crate) async fn reply(self) -> Result<Reply, Error> {
        let (response, origin) = self.response().await?;
        read_reply(origin, response, None).await
    }

    /// Makes the call; a reply that is not a success becomes an error. The body is still to be read.
    pub(crate) async fn open(self) -> Result<OpenReply, Error> {
        let (response, origin) = self.response().await?;
        if response.status().is_success() {
            return Ok(OpenReply::new(origin, response));
        }
        let reply = read_reply(origin, response, Some(CALL_TIMEOUT)).await?;
        match reply.fields() {
            Err(error) => Err(error),
            Ok(_) => Err(reply.broken("an error status with a successful result")),
        }
    }

    async fn response(self) -> Result<(Response, Origin), Error> {
        let Self { client, operation, method, url, headers, body, credential, mut secrets, timeout } = self;
        let inner = &client.inner;
        let fail = |kind| Error::new(operation, kind);
        let transport = |error| Error::transport(operation, error, None);
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        // Only GETs, which change nothing and have no body, are made again.
        let mut retries = if method == Method::GET { QUICK_RETRIES.as_slice() } else { &[] }.iter();

        let (http, secret, limiter, bearer) = match credential {
            Credential::Token(token, limiter) => (&inner.downloads, token, limiter, None),
            Credential::Key => {
                let unusable = |error| fail(ErrorKind::Key(error));
                let key = inner.key.load().await.map_err(unusable)?.into_secret();
                let http = if timeout.is_some() { &inner.calls } else { &inner.keyed_downloads };
                let bearer = bearer(key.expose_secret()).map_err(unusable)?;
                let limiter = limit::limiter_of(&inner.base, key.expose_secret());
                (http, key, limiter, Some(bearer))
            }
        };
        let by_token = bearer.is_none();
        secrets.push(secret);
        let mut builder = http.request(method, url).headers(headers);
        if let Some(bearer) = bearer {
            builder = builder.header(AUTHORIZATION, bearer);
        }
        if timeout.is_some() {
            builder = builder.header(ACCEPT, "application/json");
        }
        let mut request = body.put_into(builder).build().map_err(transport)?;

        loop {
            let permit = client.turn(operation, &limiter).await.map_err(fail)?;
            let spare = request.try_clone().filter(|_| retries.len() > 0);
            *request.timeout_mut() = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let start = Instant::now();
            let outcome = http.execute(request).await;
            client.tell(operation, &outcome, start.elapsed());
            if let Ok(response) = &outcome {
                permit.settle(response.status(), response.headers(), SystemTime::now());
            }
            match (spare, retries.next()) {
                (Some(spare), Some(pause)) if is_passing(&outcome) && start.elapsed() < QUICK_FAILURE => {
                    tokio::time::sleep(*pause).await;
                    request = spare;
                }
                _ => {
                    let origin = Origin { operation, by_token, secrets, limiter };
                    return Ok((outcome.map_err(transport)?, origin));
                }
            }
        }
    }
}

impl Payload {
    fn put_into(self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            // An empty body would be sent without a length, which some proxies refuse with 411.
            Self::Form(fields) if fields.is_empty() => request.form(&fields).header(CONTENT_LENGTH, 0),
            Self::Form(fields) => request.form(&fields),
            Self::Json(body) => request.json(&body),
            Self::Multipart(form) => request.multipart(form),
        }
    }
}

fn bearer(key: &str) -> Result<HeaderValue, KeyError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| KeyError::Character)?;
    // Keeps it out of debug output.
    value.set_sensitive(true);
    Ok(value)
}

/// A failure that is usually over in a moment, and that asks for no pause.
fn is_passing(outcome: &Result<Response, reqwest::Error>) -> bool {
    match outcome {
        Ok(response) => {
            matches!(response.status().as_u16(), 502..=504)
                && limit::retry_at(response.status(), response.headers(), SystemTime::now()).is_none()
        }
        Err(error) => error.is_connect(),
    }
}
