//! Watches that fail alone: each has a backoff of its own, and its errors end here.
//!
//! With kube's `Controller::new` all triggers share one backoff of up to 30 seconds, so that one watch that fails (a kind
//! that is not installed, a missing permission) slows all the others.

use std::fmt::Debug;
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::api::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, Store};
use kube::runtime::{Predicate, WatchStreamExt, predicates, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use super::backoff::Exponential;
use crate::children::SELECTOR;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(3);

/// The server ends a watch after this many seconds and the client starts it again, so that a dead connection is noticed.
const WATCH_SECONDS: u32 = 120;

/// What a watch delivers: objects only. The error type is what the controller expects.
pub trait Objects<K>: Stream<Item = Result<K, watcher::Error>> + Send + 'static {}

impl<K, S: Stream<Item = Result<K, watcher::Error>> + Send + 'static> Objects<K> for S {}

fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS)
}

fn backoff() -> Exponential {
    Exponential::new(FIRST_PAUSE, LAST_PAUSE)
}

/// The main stream of a controller and its store: objects whose spec, deletion or finalizers have changed.
///
/// Never the generation alone: the event that follows our own finalizer would be filtered out, and the object stay as it
/// is. Changes of the status, most of them ours, are filtered out.
#[must_use]
pub fn objects<K>(api: Api<K>) -> (Store<K>, impl Objects<K>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let stream = changes(watcher(api, config()), writer);
    (store, stream)
}

/// The store, the predicate and the backoff of [`objects`], for any stream of watch events.
pub fn changes<K>(
    events: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static,
    writer: Writer<K>,
) -> impl Objects<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let predicate = predicates::generation.combine(predicates::finalizers).combine(being_deleted);
    let stream = events
        .backoff(backoff())
        .modify(|object: &mut K| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .applied_objects()
        .predicate_filter(predicate, predicates_config());
    without_errors(stream)
}

fn predicates_config() -> kube::runtime::PredicateConfig {
    kube::runtime::PredicateConfig::default()
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a predicate")]
fn being_deleted<K: Resource>(object: &K) -> Option<u64> {
    Some(u64::from(object.meta().deletion_timestamp.is_some()))
}

/// Every change and the deletion of objects that others depend on, and their store.
#[must_use]
pub fn all_changes<K>(api: Api<K>) -> (Store<K>, impl Objects<K>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let stream = watcher(api, config())
        .backoff(backoff())
        .modify(|object: &mut K| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .touched_objects();
    (store, without_errors(stream))
}

/// Metadata of every child of a kind, on every change and deletion.
#[must_use]
pub fn children<K>(client: &Client) -> impl Objects<PartialObjectMeta<K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let api: Api<PartialObjectMeta<K>> = Api::all(client.clone());
    let stream = watcher(api, config().labels(SELECTOR)).backoff(backoff()).touched_objects();
    without_errors(stream)
}

fn without_errors<K>(stream: impl Objects<K>) -> impl Objects<K>
where
    K: Resource<DynamicType = ()> + Send + 'static,
{
    stream.filter_map(|item| async {
        match item {
            Ok(object) => Some(Ok(object)),
            Err(error) => {
                tracing::warn!(kind = %K::kind(&()), %error, "a watch failed and is started again");
                None
            }
        }
    })
}

/// `namespace/name`, for logs.
#[must_use]
pub fn key(metadata: &ObjectMeta) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}/{}", part(&metadata.namespace), part(&metadata.name))
}
