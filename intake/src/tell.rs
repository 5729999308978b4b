//! Telling of decisions, in logs and metrics, in the same way wherever they are made.

use std::time::Duration;

use fastio_pipeline::decision::Decision;
use fastio_pipeline::event::FileEvent;

use crate::intake::Undecided;
use crate::metrics::Metrics;
use crate::occasion::Occasion;

/// There is a decision. `age` is that of the event; a listed file has none.
pub fn decided(
    metrics: &Metrics,
    occasion: &Occasion,
    event: &FileEvent,
    decision: &Decision,
    age: Option<Duration>,
) {
    metrics.decided(occasion, decision, age);
    let source = occasion.as_str();
    if let Decision::Decided { file, pipelines } = decision {
        for verdict in pipelines {
            let (pipeline, answer) = (&verdict.pipeline, &verdict.answer);
            tracing::info!(source, event = %event.id, file, %pipeline, %answer, "decided");
        }
    } else {
        tracing::info!(source, event = %event.id, file = %event.file, ?decision, "decided");
    }
}

/// There is no decision yet.
pub fn undecided(metrics: &Metrics, occasion: &Occasion, event: &FileEvent, undecided: &Undecided) {
    let (source, reason) = (occasion.as_str(), undecided.type_name());
    metrics.undecided(occasion, reason);
    if let Undecided::NotThereYet(_) = undecided {
        // A race that the grace period is for.
        tracing::debug!(source, event = %event.id, problem = %undecided, "not decided");
    } else {
        tracing::warn!(source, event = %event.id, reason, problem = %undecided, "not decided");
    }
}
