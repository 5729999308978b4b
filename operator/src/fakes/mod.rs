//! An API server, a Fast.io and a Temporal of the tests' own, small and in memory.

mod fastio;
mod kubernetes;
mod temporal;

use std::sync::Arc;

pub(crate) use fastio::FakeFastio;
pub(crate) use kubernetes::FakeApi;
pub(crate) use temporal::FakeTemporal;

use crate::config::Settings;
use crate::context::Context;
use crate::keys::RootKey;
use crate::runtime::events::Events;
use crate::runtime::metrics::Metrics;

/// A context whose root key is always the same.
pub(crate) fn context(api: &Arc<FakeApi>, flags: &[&str]) -> Context {
    // An error means that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Context {
        client: api.client(),
        settings: Arc::new(Settings::for_tests(flags)),
        root_key: RootKey::new(&[7; 32]).unwrap(),
        events: Events::new(api.client()),
        metrics: Metrics::register(&mut prometheus_client::registry::Registry::default()),
    }
}
