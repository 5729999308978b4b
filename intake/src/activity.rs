//! `DecideEvent`: between Temporal and [`Intake::decide`].
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use std::sync::Arc;
use std::time::SystemTime;

use fastio_pipeline::decision::Decision;
use fastio_pipeline::event::FileEvent;
use fastio_temporal::failure::activity_error;
use fastio_temporal::heartbeat::beating;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::occasion::Occasion;
use crate::tell;

/// The activity of the `FileEvent` workflow.
pub struct DecideEvent {
    /// Decides.
    pub intake: Arc<Intake>,
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
        let occasion = Occasion::Push;
        let since = ctx.info().scheduled_time.unwrap_or_else(SystemTime::now);
        let age = SystemTime::now().duration_since(since).unwrap_or_default();
        match beating(&ctx, || (), self.intake.decide(&occasion, &event, age)).await? {
            Ok(decision) => {
                tell::decided(&self.metrics, &occasion, &event, &decision, Some(age));
                Ok(decision)
            }
            Err(undecided) => {
                tell::undecided(&self.metrics, &occasion, &event, &undecided);
                let (class, type_name) = (undecided.class(), undecided.type_name());
                Err(activity_error(class, type_name, undecided.to_string()))
            }
        }
    }
}
