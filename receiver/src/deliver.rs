//! From a delivery to a workflow that Temporal has stored, or to a clear "not now", within a fixed time.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fastio_pipeline::event::FileEvent;
use fastio_pipeline::names::{
    FILE_EVENT_WORKFLOW, Installation, ObjectKey, TaskQueue, UNUSABLE_DELIVERY_WORKFLOW, WorkflowId,
};
use fastio_pipeline::unusable::UnusableDelivery;
use fastio_temporal::start::{Start, StartError, Started, start};
use temporalio_client::Client;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::metrics::Metrics;

/// Longest time for one delivery, with the wait for a slot. Senders give up after a few seconds (Shopify after five).
pub const BUDGET: Duration = Duration::from_millis(1500);

/// Most starts under way at one moment. More only queue up in Temporal.
pub const SLOTS: usize = 64;

/// Failures in a row after which Temporal counts as away, whether it is or is not configured for these workflows.
const AWAY_AFTER: u32 = 3;

/// What Temporal is to store of a delivery.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// What happened to a file.
    Event(&'a FileEvent),
    /// Signed, and nothing that could be worked on.
    Unusable(&'a UnusableDelivery),
}

/// Starts the workflow of a delivery.
pub trait Starter: Send + Sync + 'static {
    /// Starts the workflow, or fails within the given time.
    fn start(
        &self,
        content: Content<'_>,
        within: Duration,
    ) -> impl Future<Output = Result<Started, StartError>> + Send;
}

/// The real [`Starter`].
#[derive(Clone)]
pub struct TemporalStarter {
    /// Prefix of ids and queues.
    pub installation: Installation,
    /// The webhook that events come by.
    pub webhook: ObjectKey,
    /// Set once there is a connection.
    pub client: Arc<OnceLock<Client>>,
}

impl Starter for TemporalStarter {
    async fn start(&self, content: Content<'_>, within: Duration) -> Result<Started, StartError> {
        let client =
            self.client.get().ok_or_else(|| StartError::Unavailable("not connected yet".to_owned()))?;
        let (installation, webhook) = (&self.installation, &self.webhook);
        let (workflow_type, workflow_id, input, summary) = match content {
            Content::Event(event) => {
                let file = event.file_name.as_deref().unwrap_or(event.file.as_str());
                (
                    FILE_EVENT_WORKFLOW,
                    WorkflowId::file_event(installation, webhook, &event.id),
                    serde_json::to_vec(event),
                    format!("{} of {file}", event.kind),
                )
            }
            Content::Unusable(delivery) => (
                UNUSABLE_DELIVERY_WORKFLOW,
                WorkflowId::unusable(installation, webhook, &delivery.sha256),
                serde_json::to_vec(delivery),
                delivery.problem.clone(),
            ),
        };
        let input = input.map_err(|error| StartError::Refused(error.to_string()))?;
        let task_queue = TaskQueue::intake(installation, webhook);
        start(
            client,
            Start {
                workflow_type,
                workflow_id: workflow_id.as_str(),
                task_queue: task_queue.as_str(),
                input,
                timeout: within,
                summary: Some(summary),
                execution_timeout: None,
            },
        )
        .await
    }
}

/// Starts workflows within a budget of time and of attempts at once.
pub struct Delivery<S> {
    starter: S,
    budget: Duration,
    slots: Semaphore,
    /// Failures since the last success.
    failures: AtomicU32,
    /// The one attempt at a time while Temporal is away.
    probe: Semaphore,
    metrics: Metrics,
}

impl<S: Starter> Delivery<S> {
    /// Delivers by `starter`, taking at most `budget` for each event.
    pub fn new(starter: S, budget: Duration, metrics: Metrics) -> Self {
        Self {
            starter,
            budget,
            slots: Semaphore::new(SLOTS),
            failures: AtomicU32::new(0),
            probe: Semaphore::new(1),
            metrics,
        }
    }

    /// Starts the workflow of a delivery. Never takes longer than the budget.
    pub async fn deliver(&self, content: Content<'_>) -> Result<Started, StartError> {
        let deadline = Instant::now() + self.budget;
        let unavailable = |why: &str| StartError::Unavailable(why.to_owned());
        let _probe = self.probe()?;
        let _slot = tokio::time::timeout_at(deadline, self.slots.acquire())
            .await
            .map_err(|_| unavailable("all slots are busy"))?
            .map_err(|_| unavailable("stopping"))?;
        let begun = Instant::now();
        let within = deadline.saturating_duration_since(begun);
        let result = tokio::time::timeout_at(deadline, self.starter.start(content, within))
            .await
            .unwrap_or_else(|_| Err(unavailable("no answer in time")));
        self.learn(&result, begun.elapsed());
        result
    }

    /// While Temporal is away, one request at a time finds out whether it is back; the others are told "not now" at
    /// once. Without this, each would wait for its whole budget, and a recovering Temporal would meet a crowd.
    fn probe(&self) -> Result<Option<SemaphorePermit<'_>>, StartError> {
        if self.failures.load(Ordering::Relaxed) < AWAY_AFTER {
            return Ok(None);
        }
        match self.probe.try_acquire() {
            Ok(permit) => Ok(Some(permit)),
            Err(_) => Err(StartError::Unavailable("away, and being tried already".to_owned())),
        }
    }

    fn learn(&self, result: &Result<Started, StartError>, took: Duration) {
        let label = match result {
            Ok(Started::New { .. }) => "new",
            Ok(Started::Duplicate { .. }) => "duplicate",
            Err(StartError::Unavailable(_)) => "unavailable",
            Err(StartError::Refused(_)) => "refused",
        };
        self.metrics.start_attempted(label, took);
        if let Err(StartError::Unavailable(problem)) = result {
            let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            if failures == AWAY_AFTER {
                tracing::error!(
                    problem,
                    "Temporal takes no events: deliveries are answered 503 until it does"
                );
            }
        } else if self.failures.swap(0, Ordering::Relaxed) >= AWAY_AFTER {
            tracing::info!("Temporal takes events again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use prometheus_client::registry::Registry;

    use super::*;

    /// Answers at once, or never while `frozen`.
    #[derive(Default)]
    struct Engine {
        frozen: AtomicBool,
        asked: AtomicU32,
    }

    impl Starter for Arc<Engine> {
        async fn start(&self, _: Content<'_>, _: Duration) -> Result<Started, StartError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.frozen.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            Ok(Started::New { run_id: None })
        }
    }

    const SHORT: Duration = Duration::from_millis(100);

    fn delivery(engine: &Arc<Engine>) -> Delivery<Arc<Engine>> {
        Delivery::new(Arc::clone(engine), SHORT, Metrics::register(&mut Registry::default()))
    }

    fn event() -> FileEvent {
        serde_json::from_str(r#"{"id":"e","kind":"upload","workspace":"1","file":"f"}"#).unwrap()
    }

    #[tokio::test]
    async fn a_frozen_engine_is_tried_by_one_request_at_a_time_and_found_again() {
        let engine = Arc::new(Engine::default());
        let delivery = delivery(&engine);
        engine.frozen.store(true, Ordering::Relaxed);
        for _ in 0..AWAY_AFTER {
            let begun = Instant::now();
            assert!(matches!(
                delivery.deliver(Content::Event(&event())).await,
                Err(StartError::Unavailable(_))
            ));
            assert!((SHORT..SHORT * 3).contains(&begun.elapsed()));
        }

        let asked = engine.asked.load(Ordering::Relaxed);
        let begun = Instant::now();
        let event = event();
        let (probe, other) = tokio::join!(delivery.deliver(Content::Event(&event)), async {
            let other = delivery.deliver(Content::Event(&event)).await;
            assert!(begun.elapsed() < SHORT / 2);
            other
        });
        assert!(probe.is_err() && other.is_err());
        assert_eq!(engine.asked.load(Ordering::Relaxed), asked + 1);

        engine.frozen.store(false, Ordering::Relaxed);
        assert!(delivery.deliver(Content::Event(&event)).await.is_ok());
        let (one, two) =
            tokio::join!(delivery.deliver(Content::Event(&event)), delivery.deliver(Content::Event(&event)));
        assert!(one.is_ok() && two.is_ok());
    }

    #[tokio::test]
    async fn the_wait_for_a_slot_counts_against_the_budget() {
        let engine = Arc::new(Engine::default());
        let delivery = delivery(&engine);
        let _all = delivery.slots.acquire_many(u32::try_from(SLOTS).unwrap()).await.unwrap();
        let begun = Instant::now();
        assert!(matches!(delivery.deliver(Content::Event(&event())).await, Err(StartError::Unavailable(_))));
        assert!((SHORT..SHORT * 3).contains(&begun.elapsed()));
    }
}
