//! Sends webhook deliveries: signed, each to its URL, again and again until a 2xx answer.
//!
//! The queue is the table of deliveries, so nothing is forgotten by a restart. One task looks for
//! what is due; every attempt is a task of its own, and each endpoint has its own places, so that
//! a receiver that does not answer holds up nobody else, and a thousand deliveries at once go out in
//! parallel over a bounded number of connections, which are kept.

mod attempt;
mod sign;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};

use crate::{
    app::App,
    ids::WebhookId,
    store::{
        deliveries::{Delivery, queue},
        webhooks,
    },
    time::Instant,
};

/// Deliveries that are taken from the queue in one go.
const BATCH: usize = 2_000;
/// How long the queue sleeps when nothing is due and nothing happens.
const IDLE: Duration = Duration::from_secs(5);

/// The HTTP client of the sender could not be made.
#[derive(Debug, thiserror::Error)]
#[error("HTTP client of the webhook sender: {0}")]
pub struct SenderError(#[from] reqwest::Error);

/// Takes deliveries from the queue for as long as the simulator runs.
pub(crate) struct Sender {
    app: App,
    http: reqwest::Client,
    places: Mutex<HashMap<WebhookId, Arc<Semaphore>>>,
}

impl Sender {
    pub(crate) fn new(app: App) -> Result<Self, SenderError> {
        // Fails only when somebody has installed one before, which does as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .timeout(app.settings.webhook_timeout)
            .pool_max_idle_per_host(app.settings.webhook_connections.get())
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Fastio-Webhooks/1.0")
            .build()?;
        Ok(Self { app, http, places: Mutex::default() })
    }

    pub(crate) async fn run(self: Arc<Self>) {
        if let Err(error) = self.app.store.write(queue::requeue) {
            tracing::error!(%error, "deliveries of the last run cannot be taken up");
        }
        let mut commits = self.app.store.commits();
        loop {
            commits.mark_unchanged();
            let pause = self.start_due().unwrap_or_else(|error| {
                tracing::error!(%error, "the queue of deliveries cannot be read");
                IDLE
            });
            if let Ok(Err(_)) = timeout(pause, commits.changed()).await {
                return;
            }
        }
    }

    /// Starts what is due and says how long the next one has time.
    fn start_due(self: &Arc<Self>) -> rusqlite::Result<Duration> {
        let Some(next) = self.app.store.read(queue::next_due)? else { return Ok(IDLE) };
        let ahead = next.micros() - Instant::now().micros();
        if ahead > 0 {
            return Ok(Duration::from_micros(ahead.unsigned_abs()).min(IDLE));
        }
        let claimed = self.app.store.write(|rows| {
            queue::admit(rows, |delivery| self.app.faults.plan(delivery.workspace.as_str()))?;
            queue::claim_due(rows, BATCH)
        })?;
        for delivery in claimed {
            let sender = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = sender.attempt(&delivery).await {
                    tracing::error!(delivery = delivery.id, %error, "an attempt could not be written down");
                }
            });
        }
        Ok(Duration::ZERO)
    }

    async fn attempt(&self, delivery: &Delivery) -> rusqlite::Result<()> {
        let places = self.places(&delivery.webhook);
        // The semaphore is never closed.
        let _place = places.acquire().await;
        let webhook = self
            .app
            .store
            .read(|rows| webhooks::find(rows, &delivery.workspace, &delivery.webhook))?
            .filter(|webhook| webhook.enabled);
        let Some(webhook) = webhook else {
            return self.app.store.write(|rows| queue::give_up(rows, delivery));
        };
        let attempt = self.send(delivery, &webhook).await;
        tracing::info!(
            event = %delivery.event, url = webhook.url, attempts = delivery.attempts + 1,
            status = attempt.status, error = attempt.error, "delivery attempted"
        );
        let suspend_after = webhook.format.suspend_after.or(self.app.settings.webhook_suspend_after);
        let suspend_after = suspend_after.filter(|most| *most > 0);
        if self.app.store.write(|rows| queue::record(rows, delivery, &attempt, suspend_after))? {
            tracing::warn!(webhook = %webhook.id, url = webhook.url, "webhook suspended");
        }
        Ok(())
    }

    fn places(&self, webhook: &WebhookId) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = self.app.settings.webhook_connections.get();
        let place = places.entry(webhook.clone()).or_insert_with(|| Arc::new(Semaphore::new(connections)));
        Arc::clone(place)
    }
}
