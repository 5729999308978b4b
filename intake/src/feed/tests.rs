//! The engine against a simulated Fast.io.

mod activities;
mod backfills;
mod beside;
mod following;
mod left_over;
mod listings;
mod odd_rows;
mod reopening;
mod replay;
mod temporal;

use fastio::NodeId;
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::state::{Following, Relisting, Source};
use super::*;
use crate::decide::{Candidate, tests::candidate};
use crate::world::World;

/// Long enough for one reading.
const ROUND: Duration = Duration::from_millis(300);

const FORBIDDEN: &str = r#""status":403,"code":10767,"times":null"#;

/// For who reads, and for who looks whether it is so.
const EXPIRED: &str = r#""status":406,"code":187907,"reason":"cursor_expired","times":2"#;

impl World {
    pub(super) fn feed(&self, follow: Follow) -> Feed {
        let (_, metrics) = metrics();
        let (client, workspace) = (self.fastio.client.clone(), self.fastio.workspace.clone());
        Feed::new(self.intake.clone(), client, workspace, follow, Duration::from_hours(1), metrics)
    }

    async fn put(&self, name: &str) -> NodeId {
        let file = self.fastio.upload(&self.fastio.client, &NodeId::root(), name).await;
        file.as_str().parse().unwrap()
    }
}

fn metrics() -> (Registry, Metrics) {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    (registry, metrics)
}

fn encoded(registry: &Registry) -> String {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    text
}

fn photos() -> Candidate {
    candidate("photos", r#"["upload","modify"]"#, "/out")
}

async fn opened(feed: &Feed) -> watch::Sender<Following> {
    let opened = Some(feed.open(None).await.unwrap().opened);
    watch::Sender::new(Following { opened, ..Following::default() })
}

fn source(state: &watch::Sender<Following>) -> Option<Source> {
    state.borrow().opened.as_ref().map(|opened| opened.source.clone())
}

async fn relisted(feed: &Feed, watermark: Timestamp) -> Relisting {
    let state = watch::Sender::new(Relisting { watermark: Some(watermark), ..Relisting::default() });
    feed.relist(&state, Duration::from_secs(5)).await.unwrap();
    state.borrow().clone()
}
