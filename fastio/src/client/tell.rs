//! What is told about a call while it is made: to the log, and to whoever observes the client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Response;

use super::Client;
use super::reply::request_id;
use crate::error::ErrorKind;
use crate::limit::{Limiter, Permit};
use crate::observe::Outcome;

impl Client {
    /// The turn of an operation in a rate limit.
    pub(super) async fn turn(
        &self,
        operation: &'static str,
        limiter: &Arc<Limiter>,
    ) -> Result<Permit, ErrorKind> {
        let start = Instant::now();
        let turn = limiter.pass(operation).await;
        if let Some(observer) = &self.observer {
            observer.waited(operation, start.elapsed());
            if turn.is_err() {
                observer.attempted(operation, Outcome::Held, Duration::ZERO);
            }
        }
        turn.map_err(|until| ErrorKind::Held { until })
    }

    /// An attempt ended.
    pub(super) fn tell(
        &self,
        operation: &'static str,
        outcome: &Result<Response, reqwest::Error>,
        took: Duration,
    ) {
        let milliseconds = took.as_millis();
        let told = match outcome {
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::debug!(
                    operation,
                    status,
                    milliseconds,
                    request_id = request_id(response),
                    "Fast.io call"
                );
                Outcome::Status(status)
            }
            // The error may show the URL, and with it a token.
            Err(error) => {
                tracing::debug!(
                    operation,
                    milliseconds,
                    connect = error.is_connect(),
                    "Fast.io call without a reply"
                );
                Outcome::Transport
            }
        };
        if let Some(observer) = &self.observer {
            observer.attempted(operation, told, took);
        }
    }
}
