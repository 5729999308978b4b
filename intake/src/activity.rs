//! `DecideEvent`: between Temporal and [`Intake::decide`].
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastio_pipeline::decision::Decision;
use fastio_pipeline::event::FileEvent;
use fastio_temporal::failure::activity_error;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::interval;

use crate::intake::{Intake, Undecided};
use crate::metrics::Metrics;

/// How often a lookup that takes long says that it is alive.
const BEAT: Duration = Duration::from_secs(3);

/// The activity of the `FileEvent` workflow.
pub struct DecideEvent {
    /// Decides.
    pub intake: Intake,
    /// Counts.
    pub metrics: Metrics,
}

#[activities]
impl DecideEvent {
    /// Decides one event and starts its runs.
    #[activity(name = "DecideEvent")]
    pub async fn decide_event(
        self: Arc<Self>,
        ctx: ActivityContext,
        event: FileEvent,
    ) -> Result<Decision, ActivityError> {
        let since = ctx.info().scheduled_time.unwrap_or_else(SystemTime::now);
        let age = SystemTime::now().duration_since(since).unwrap_or_default();
        let mut work = pin!(self.intake.decide(&event, age));
        let mut beat = interval(BEAT);
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                _ = beat.tick() => ctx.record_heartbeat(()).await?,
                () = ctx.cancelled() => return Err(ActivityError::cancelled()),
            }
        };
        self.told(&event, age, outcome)
    }
}

impl DecideEvent {
    fn told(
        &self,
        event: &FileEvent,
        age: Duration,
        outcome: Result<Decision, Undecided>,
    ) -> Result<Decision, ActivityError> {
        match outcome {
            Ok(decision) => {
                self.metrics.decided(&decision, age);
                if let Decision::Decided { file, pipelines } = &decision {
                    for verdict in pipelines {
                        let (pipeline, answer) = (&verdict.pipeline, &verdict.answer);
                        tracing::info!(event = %event.id, file, %pipeline, %answer, "decided");
                    }
                } else {
                    tracing::info!(event = %event.id, file = %event.file, ?decision, "decided");
                }
                Ok(decision)
            }
            Err(undecided) => {
                let (class, type_name) = (undecided.class(), undecided.type_name());
                self.metrics.undecided(type_name);
                if let Undecided::NotThereYet(_) = undecided {
                    // A race that the grace period is for.
                    tracing::debug!(event = %event.id, problem = %undecided, "not decided");
                } else {
                    tracing::warn!(event = %event.id, reason = type_name, problem = %undecided, "not decided");
                }
                Err(activity_error(class, type_name, undecided.to_string()))
            }
        }
    }
}
