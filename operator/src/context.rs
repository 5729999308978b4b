//! What the steps of both controllers share.

use fastio::{ApiKey, ApiKeySource, ClientError};
use kube::Client;

use crate::config::Settings;
use crate::keys::RootKey;
use crate::runtime::events::Events;
use crate::runtime::metrics::Metrics;

/// Clients, settings and keys. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Kubernetes.
    pub client: Client,
    /// Settings of the operator.
    pub settings: std::sync::Arc<Settings>,
    /// The key that all others are derived from.
    pub root_key: RootKey,
    /// Events.
    pub events: Events,
    /// Metrics.
    pub metrics: Metrics,
}

impl Context {
    /// A client of Fast.io whose calls are counted.
    pub fn fastio(&self, key: ApiKey) -> Result<fastio::Client, ClientError> {
        let client = fastio::Client::new(self.settings.fastio_base_url.clone(), ApiKeySource::Static(key))?;
        Ok(client.observed_by(self.metrics.fastio.clone()))
    }
}
