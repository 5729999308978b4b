//! Sends webhook deliveries: signed, each to its URL, again and again until a 2xx answer.
//!
//! The queue is the table of deliveries, so nothing is forgotten by a restart. One task looks for
//! what is due; every attempt is a task of its own, and each URL has its own places, so that a
//! receiver that does not answer holds up nobody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hmac::Mac as _;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    app::App,
    store::{
        deliveries::{self, Attempt, Delivery, Outcome, State},
        webhooks::{self, Webhook},
    },
    time::Instant,
    tokens::keyed,
};

/// Attempts at one URL at the same time.
const PER_URL: usize = 32;
/// Deliveries that are taken from the queue in one go.
const BATCH: usize = 2_000;
const LONGEST_DELAY: Duration = Duration::from_mins(1);
/// After this time a delivery is given up.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);
/// How long the queue sleeps when nothing is due and nothing happens.
const IDLE: Duration = Duration::from_secs(5);
const SIGNATURE: &str = "Fastio-Signature";

/// The HTTP client of the sender could not be made.
#[derive(Debug, thiserror::Error)]
#[error("HTTP client of the webhook sender: {0}")]
pub struct SenderError(#[from] reqwest::Error);

/// Takes deliveries from the queue for as long as the simulator runs.
pub(crate) struct Sender {
    app: App,
    http: reqwest::Client,
    places: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Sender {
    pub(crate) fn new(app: App) -> Result<Self, SenderError> {
        // Fails only when somebody has installed one before, which does as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .timeout(app.settings.webhook_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Fastio-Webhooks/1.0")
            .build()?;
        Ok(Self { app, http, places: Mutex::default() })
    }

    pub(crate) async fn run(self: Arc<Self>) {
        if let Err(error) = self.app.store.write(deliveries::requeue) {
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
        let Some(next) = self.app.store.read(deliveries::next_due)? else { return Ok(IDLE) };
        let ahead = next.micros() - Instant::now().micros();
        if ahead > 0 {
            return Ok(Duration::from_micros(ahead.unsigned_abs()).min(IDLE));
        }
        for delivery in self.app.store.write(|rows| deliveries::claim_due(rows, BATCH))? {
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
        let webhook = self
            .app
            .store
            .read(|rows| webhooks::find(rows, &delivery.workspace, &delivery.webhook))?
            .filter(|webhook| webhook.enabled);
        let Some(webhook) = webhook else {
            return self.finish(delivery, delivery.attempts, State::Cancelled);
        };
        if delivery.attempts == 0 && self.app.faults.drops_delivery(delivery.workspace.as_str()) {
            return self.finish(delivery, 0, State::Dropped);
        }
        let places = self.places(&webhook.url);
        // The semaphore is never closed.
        let _place = places.acquire().await;
        let attempt = self.send(delivery, &webhook).await;
        let attempts = delivery.attempts + 1;
        tracing::info!(
            event = %delivery.event, url = webhook.url, attempts, status = attempt.status, error = attempt.error,
            "delivery attempted"
        );
        self.app.store.write(|rows| deliveries::record_attempt(rows, delivery.id, attempts, &attempt))
    }

    fn finish(&self, delivery: &Delivery, attempts: u32, state: State) -> rusqlite::Result<()> {
        let attempt = Attempt { status: None, error: None, outcome: Outcome::Finished(state) };
        self.app.store.write(|rows| deliveries::record_attempt(rows, delivery.id, attempts, &attempt))
    }

    fn places(&self, url: &str) -> Arc<Semaphore> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(url.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(PER_URL))))
    }

    async fn send(&self, delivery: &Delivery, webhook: &Webhook) -> Attempt {
        let response = self
            .http
            .post(&webhook.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, signature(&webhook.secret, &delivery.body))
            .body(delivery.body.clone())
            .send()
            .await;
        match response {
            Ok(response) if response.status().is_success() => Attempt {
                status: Some(response.status().as_u16()),
                error: None,
                outcome: Outcome::Finished(State::Delivered),
            },
            Ok(response) => Attempt {
                status: Some(response.status().as_u16()),
                error: None,
                outcome: self.next(delivery, retry_after(&response)),
            },
            Err(error) => Attempt {
                status: None,
                error: Some(with_sources(&error)),
                outcome: self.next(delivery, None),
            },
        }
    }

    /// Doubles the delay from attempt to attempt, unless the receiver names one.
    fn next(&self, delivery: &Delivery, asked: Option<Duration>) -> Outcome {
        if Instant::now() > delivery.created.plus(GIVE_UP_AFTER) {
            return Outcome::Finished(State::Failed);
        }
        let doubled = 2_u32.saturating_pow(delivery.attempts).min(1 << 16);
        let delay = self.app.settings.webhook_retry_base.saturating_mul(doubled).min(LONGEST_DELAY);
        Outcome::RetryIn(asked.unwrap_or(delay))
    }
}

/// The guide's scheme: `sha256=` and the lower-case hexadecimal HMAC-SHA256 of the body.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = keyed(secret.as_bytes());
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// `Retry-After` in seconds, at most an hour. (The form with a date is not in use here.)
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_of_a_known_vector() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
