//! A service with scripted answers that remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::{ApiKey, ApiKeySource, BaseUrl, Client};

pub(crate) const KEY: &str = "test-key-that-nobody-may-see";

/// What a client asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// Method, path and query.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        assert_eq!(self.header("content-type"), Some("application/x-www-form-urlencoded"));
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

type Script = Arc<Mutex<(VecDeque<Response>, Vec<Asked>)>>;

pub(crate) struct Stub {
    base: String,
    script: Script,
}

/// A reply with status 200.
pub(crate) fn json(body: &str) -> Response {
    reply(200, &[], body)
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let mut builder = Response::builder().status(status).header("x-ve-reqid", "req-1");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}

/// The reply of an unknown route.
pub(crate) fn unknown_route() -> Response {
    reply(404, &[], r#"{"result":false,"error":{"code":9992,"text":"Not found"}}"#)
}

impl Stub {
    /// Answers with these replies, one each, and then with status 599.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Response>) -> Self {
        let script: Script = Arc::new(Mutex::new((answers.into_iter().collect(), Vec::new())));
        let router = Router::new().fallback(answer).with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/current", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, script }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(ApiKeySource::Static(ApiKey::new(KEY).unwrap()))
    }

    pub(crate) fn client_with(&self, key: ApiKeySource) -> Client {
        client_at(&self.base, key)
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.script.lock().unwrap().1.clone()
    }
}

pub(crate) fn client_at(base: &str, key: ApiKeySource) -> Client {
    // Fails when another test of this process was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new(base.parse::<BaseUrl>().unwrap(), key).unwrap()
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut script = script.lock().unwrap();
    script.1.push(Asked { method: parts.method, uri: parts.uri, headers: parts.headers, body });
    script.0.pop_front().unwrap_or_else(|| StatusCode::from_u16(599).unwrap().into_response())
}
