//! The client: its connections, its key and its manners. The calls are in the module of their area.

mod call;
mod reply;
mod tell;

pub(crate) use call::Call;
pub(crate) use reply::Reply;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use reply::head_of;

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;

use crate::base_url::BaseUrl;
use crate::key::ApiKeySource;
use crate::observe::Observe;

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

/// A client of the API. Cheap to clone; clones share their connections. All clients of a process that use the same key
/// at the same service share its rate limit.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let simulated = Simulated::start().await?;
/// # let base = simulated.base.as_str();
/// use fastio::{ApiKey, ApiKeySource, Client, ErrorClass};
///
/// // `base` is https://api.fast.io/current for the live service.
/// let client = Client::new(base.parse()?, ApiKeySource::Static(ApiKey::new(KEY)?))?;
/// let user = client.auth_check().await?;
/// for workspace in client.workspaces().await? {
///     println!("{user} sees {} ({:?})", workspace.id, workspace.name);
/// }
///
/// // An error says what to do about it.
/// let wrong = Client::new(base.parse()?, ApiKeySource::Static(ApiKey::new("mistyped")?))?;
/// let error = wrong.auth_check().await.unwrap_err();
/// assert!(matches!(error.class(), ErrorClass::NeedsHuman(_)), "{error}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
    observer: Option<Arc<dyn Observe>>,
}

#[derive(Debug)]
struct Inner {
    /// For calls with a key: follows no redirect, so that nobody else ever gets the key.
    calls: reqwest::Client,
    /// The same for downloads with the key, which have no limit of time but one of silence.
    keyed_downloads: reqwest::Client,
    /// For downloads by token: follows redirects, since a store elsewhere may hold the bytes. Sends no key.
    downloads: reqwest::Client,
    base: BaseUrl,
    key: ApiKeySource,
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
        let keyed = || builder().redirect(redirect::Policy::none());
        let calls = keyed().build()?;
        let keyed_downloads = keyed().read_timeout(IDLE_TIMEOUT).build()?;
        let redirects = download_redirects(base.is_https());
        let downloads = builder().redirect(redirects).read_timeout(IDLE_TIMEOUT).build()?;
        let inner = Inner { calls, keyed_downloads, downloads, base, key };
        Ok(Self { inner: Arc::new(inner), observer: None })
    }

    /// The same client, which tells `observer` of its calls, downloads by token included. Clones of it do so as well.
    #[must_use]
    pub fn observed_by(self, observer: impl Observe + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    /// The base URL that this client calls.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.inner.base
    }
}

/// Redirects of a download: a few, and never from `https` to `http`.
fn download_redirects(https: bool) -> redirect::Policy {
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
