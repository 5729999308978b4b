//! The client: its connections, its key and its manners. The calls are in the module of their area.

mod call;
mod reply;

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;

use crate::base_url::BaseUrl;
use crate::key::ApiKeySource;
use crate::limit::Gate;

/// Time to connect, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence while a download runs.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Most redirects that a download follows.
const MAX_REDIRECTS: usize = 5;

const USER_AGENT: &str = concat!("fastio-operator/", env!("CARGO_PKG_VERSION"));

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The process has no TLS provider.
    #[error(
        "no TLS provider is installed: call rustls::crypto::ring::default_provider().install_default() in main"
    )]
    NoTlsProvider,
    /// The HTTP library cannot start, for example because the machine has no root certificates.
    #[error("the HTTP client cannot start: {0:?}")]
    Http(#[from] reqwest::Error),
}

/// A client of the API. Cheap to clone; clones share connections, key and rate limit.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// For calls with a key: follows no redirect, so that nobody else ever gets the key.
    keyed: reqwest::Client,
    /// For downloads by token: follows redirects, since a store elsewhere may hold the bytes. Sends no key.
    tokened: reqwest::Client,
    base: BaseUrl,
    key: ApiKeySource,
    gate: Gate,
}

impl Client {
    /// Makes a client. No call is made: [`Client::auth_check`] tells whether the key works.
    pub fn new(base: BaseUrl, key: ApiKeySource) -> Result<Self, ClientError> {
        // The HTTP library would panic.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(ClientError::NoTlsProvider);
        }
        let builder = || {
            reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                // A download's token is in its URL, which must not be told to the target of a redirect.
                .referer(false)
        };
        let keyed = builder().redirect(redirect::Policy::none()).build()?;
        let https = base.is_https();
        let tokened = builder().redirect(downloads(https)).read_timeout(IDLE_TIMEOUT).build()?;
        Ok(Self { inner: Arc::new(Inner { keyed, tokened, base, key, gate: Gate::default() }) })
    }

    /// The base URL that this client calls.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.inner.base
    }
}

/// Redirects of a download: a few, and never from `https` to `http`.
fn downloads(https: bool) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("too many redirects")
        } else if https && attempt.url().scheme() != "https" {
            attempt.error("redirect from https to http")
        } else {
            attempt.follow()
        }
    })
}

#[cfg(test)]
pub(crate) mod stub;
#[cfg(test)]
mod tests;
