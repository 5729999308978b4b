//! One attempt: signs, sends, and decides what its answer means.

use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};

use super::{Sender, sign};
use crate::{
    Settings,
    store::{
        deliveries::{
            Delivery, Spoilt, State,
            queue::{Attempt, Outcome},
        },
        webhooks::Webhook,
    },
    time::Instant,
};

/// The key of deliveries that are signed with a wrong secret.
const FORGED: &[u8] = b"a secret that nobody was told";
/// How much of an answer is read, so that its connection can be used again.
const ANSWER_MAX: usize = 64 * 1024;
/// Longest delay that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// What is sent: as signed, or as a fault has it.
struct Message {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sender {
    pub(super) async fn send(&self, delivery: &Delivery, webhook: &Webhook) -> Attempt {
        let message = match message(delivery, webhook) {
            Ok(message) => message,
            Err(error) => {
                return Attempt {
                    status: None,
                    error: Some(error),
                    outcome: Outcome::Finished(State::Failed),
                };
            }
        };
        let request = self.http.post(&webhook.url).headers(message.headers).body(message.body);
        match request.send().await {
            Ok(mut response) => {
                let (status, asked) = (response.status(), retry_after(response.headers()));
                exhaust(&mut response).await;
                let outcome = if status.is_success() {
                    Outcome::Finished(State::Delivered)
                } else {
                    self.next(delivery, asked)
                };
                Attempt { status: Some(status.as_u16()), error: None, outcome }
            }
            Err(error) => {
                let outcome = self.next(delivery, None);
                Attempt { status: None, error: Some(with_sources(&error)), outcome }
            }
        }
    }

    /// What comes after an attempt that failed.
    fn next(&self, delivery: &Delivery, asked: Option<Duration>) -> Outcome {
        let replayed = delivery.spoilt.iter().any(|spoilt| matches!(spoilt, Spoilt::Replay { .. }));
        if replayed || Instant::now() > delivery.created.plus(self.app.settings.webhook_give_up) {
            return Outcome::Finished(State::Failed);
        }
        Outcome::RetryIn(asked.unwrap_or_else(|| delay(delivery.attempts, &self.app.settings)))
    }
}

/// The delay after so many attempts that failed before this one: doubled each time, up to the longest.
fn delay(failed_before: u32, settings: &Settings) -> Duration {
    let doubled = 2_u32.saturating_pow(failed_before);
    settings.webhook_retry_base.saturating_mul(doubled).min(settings.webhook_retry_max)
}

fn message(delivery: &Delivery, webhook: &Webhook) -> Result<Message, String> {
    let mut key = webhook.format.secret_encoding.key(&webhook.secret).map_err(|error| error.to_string())?;
    let mut seconds = Instant::now().seconds();
    let mut body = delivery.body.clone();
    let mut tampered = false;
    for spoilt in &delivery.spoilt {
        match spoilt {
            Spoilt::HeldBack { .. } | Spoilt::Duplicate => {}
            Spoilt::Replay { age_seconds } => {
                seconds = seconds.saturating_sub(i64::try_from(*age_seconds).unwrap_or(i64::MAX));
            }
            Spoilt::Tampered { attempts } => tampered |= concerns(*attempts, delivery),
            Spoilt::Forged { attempts } => {
                if concerns(*attempts, delivery) {
                    key = FORGED.to_vec();
                }
            }
        }
    }
    let headers = sign::headers(&webhook.format, &key, seconds, &body).map_err(|error| error.to_string())?;
    if tampered {
        // Still JSON, and with the same meaning: only the signature can tell.
        body.push(b' ');
    }
    Ok(Message { headers, body })
}

fn concerns(attempts: Option<u32>, delivery: &Delivery) -> bool {
    attempts.is_none_or(|attempts| delivery.attempts < attempts)
}

/// `Retry-After` in seconds. (The form with a date is not in use here.)
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// Reads an answer to its end: only then can its connection be used again.
async fn exhaust(response: &mut reqwest::Response) {
    let mut left = ANSWER_MAX;
    while let Ok(Some(piece)) = response.chunk().await {
        left = left.saturating_sub(piece.len());
        if left == 0 {
            return;
        }
    }
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
    use http::HeaderValue;

    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let mut settings = Settings::new("unused");
        settings.webhook_retry_base = Duration::from_secs(1);
        settings.webhook_retry_max = Duration::from_mins(1);
        let seconds: Vec<u64> = (0..9).map(|failed| delay(failed, &settings).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(delay(u32::MAX, &settings), settings.webhook_retry_max);
        settings.webhook_retry_max = Duration::from_hours(24);
        let hours = |failed| delay(failed, &settings).as_secs() / 3600;
        assert_eq!((hours(16), hours(17)), (18, 24), "there is no other limit");
    }

    #[test]
    fn a_receiver_asks_in_seconds_and_for_an_hour_at_most() {
        let asked = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]))
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("90000"), Some(RETRY_AFTER_MAX));
        assert_eq!(asked("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
