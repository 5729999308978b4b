//! The pipelines of the webhook as they are now, by a watch on the Kubernetes API.
//!
//! The watch is filtered by the API server to the pipelines of this webhook (a selectable field of the CRD), so that not
//! even a broken one of another webhook is ever seen here.

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastio_crds::{FilePipeline, compile};
use fastio_pipeline::names::ObjectKey;
use fastio_service::Condition;
use futures::StreamExt;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::{self, Store, store::Writer};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};

use crate::decide::Candidate;
use crate::metrics::Metrics;

/// Pauses after a failure of the watch: doubling from the first to the last. Short, because files wait meanwhile.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(3);

/// Longest time for a whole list. The client's own retries of a list would go on for minutes.
const LIST: Duration = Duration::from_secs(10);

/// Seconds after which the API server ends a watch. Five seconds later a connection that died silently is noticed.
const WATCH_SECONDS: u32 = 30;

/// The pipelines may be others by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the FilePipelines are not known at the moment: the watch on them is being set up again")]
pub struct StaleView;

/// Knows the pipelines of a webhook.
pub trait PipelineView: Send + Sync + 'static {
    /// The pipelines as they are now, by name. Never what is known to be out of date.
    fn current(&self) -> Result<Vec<Candidate>, StaleView>;
}

/// An object as it came: one that does not fit its type must not hide the others.
type Guarded = DeserializeGuard<FilePipeline>;

/// The live view.
pub struct LiveView {
    store: Store<Guarded>,
    current: Arc<AtomicBool>,
    webhook: String,
}

/// What keeps a [`LiveView`] live.
pub struct Follower {
    api: Api<Guarded>,
    config: watcher::Config,
    writer: Writer<Guarded>,
    current: Arc<AtomicBool>,
    synced: Condition,
    metrics: Metrics,
}

/// The view of the pipelines of `webhook`, and what has to run for it to be one. `synced` is true once the pipelines were
/// seen for the first time.
#[must_use]
pub fn live(
    client: Client,
    webhook: &ObjectKey,
    synced: Condition,
    metrics: Metrics,
) -> (LiveView, Follower) {
    let (store, writer) = reflector::store();
    let current = Arc::new(AtomicBool::new(false));
    let view = LiveView { store, current: Arc::clone(&current), webhook: webhook.name().to_owned() };
    let config = watcher::Config::default()
        .fields(&format!("spec.webhookRef.name={}", webhook.name()))
        .timeout(WATCH_SECONDS);
    let api = Api::namespaced(client, webhook.namespace());
    (view, Follower { api, config, writer, current, synced, metrics })
}

impl PipelineView for LiveView {
    fn current(&self) -> Result<Vec<Candidate>, StaleView> {
        if !self.current.load(Ordering::Acquire) {
            return Err(StaleView);
        }
        let mut candidates: Vec<Candidate> =
            self.store.state().iter().filter_map(|object| candidate(object, &self.webhook)).collect();
        candidates.sort_by(|a, b| a.pipeline.cmp(&b.pipeline));
        Ok(candidates)
    }
}

fn candidate(object: &Guarded, webhook: &str) -> Option<Candidate> {
    let metadata = object.meta();
    if metadata.deletion_timestamp.is_some() {
        return None;
    }
    let pipeline = ObjectKey::new(&object.namespace()?, &object.name_any()).ok()?;
    let plan = match &object.0 {
        Ok(pipeline) if pipeline.spec.webhook_ref.name != webhook => return None,
        Ok(pipeline) => compile::plan(pipeline).map_err(|invalid| invalid.to_string()),
        Err(invalid) => Err(invalid.to_string()),
    };
    // Whatever is wrong with the rest of the object, its backfill cannot run then.
    let backfill = object.0.as_ref().ok().and_then(|pipeline| pipeline.spec.backfill.as_ref());
    let backfill = backfill.and_then(|backfill| NonZeroU32::new(backfill.files_per_minute.try_into().ok()?));
    let uid = metadata.uid.clone().unwrap_or_default();
    let created = metadata.creation_timestamp.as_ref().map(|time| time.0);
    Some(Candidate { pipeline, uid, created, plan, backfill })
}

impl Follower {
    /// Follows the pipelines for ever.
    ///
    /// After any failure the watch starts over with a list: a watch that quietly goes on where it was cannot tell when it
    /// has caught up, and until then nobody may decide by it.
    pub async fn follow(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let problem = self.watch(&mut pause).await;
            self.current.store(false, Ordering::Release);
            self.metrics.view_current.set(0);
            self.metrics.view_failures.inc();
            tracing::warn!(problem, retry_in = ?pause, "the watch on FilePipelines failed");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// One list and the watch after it, until it fails.
    async fn watch(&mut self, pause: &mut Duration) -> String {
        let mut events = pin!(watcher(self.api.clone(), self.config.clone()));
        let listed = async {
            while let Some(event) = events.next().await {
                let event = event.map_err(|error| in_full(&error))?;
                self.writer.apply_watcher_event(&event);
                if matches!(event, Event::InitDone) {
                    return Ok(());
                }
            }
            Err("the list ended early".to_owned())
        };
        match tokio::time::timeout(LIST, listed).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => return problem,
            Err(_) => return format!("no list within {LIST:?}"),
        }
        self.current.store(true, Ordering::Release);
        self.metrics.view_current.set(1);
        self.synced.set(true);
        *pause = FIRST_PAUSE;
        tracing::info!("the FilePipelines are known");
        while let Some(event) = events.next().await {
            match event {
                // The watcher lists anew by itself, and the store keeps its old content until the list is complete.
                Ok(Event::Init) => return "the API server asks for a new list".to_owned(),
                Ok(event) => self.writer.apply_watcher_event(&event),
                Err(error) => return in_full(&error),
            }
        }
        "the watch ended".to_owned()
    }
}

/// An error with its causes. Some of the client's errors repeat their cause, the others hide it.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
