//! Step 5: the status, computed from what was seen and done (pure), and written once.

use fastio_crds::{FilePipeline, FilePipelineStatus};
use jiff::{Timestamp, Unit};

use crate::context::Context;
use crate::problem::Problem;
use crate::status::{Verdict, publish_transition, write};
use crate::temporal::Counts;

/// How far the steps came.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) workers: Option<String>,
    pub(super) task_queue: Option<String>,
    pub(super) counts: Option<Counts>,
}

/// Writes the status if it has changed, whatever the steps came to.
pub(super) async fn report(
    context: &Context,
    pipeline: &FilePipeline,
    progress: Progress,
    problem: Option<&Problem>,
) -> kube::Result<()> {
    let ready =
        || Verdict::Ready(format!("files of FastioWebhook {} are processed", pipeline.spec.webhook_ref.name));
    let verdict = problem.map_or_else(ready, Verdict::from);
    let before = pipeline.status.clone().unwrap_or_default();
    let status = compute(pipeline, progress, &verdict, Timestamp::now());
    if status == before {
        return Ok(());
    }
    write(&context.client, pipeline, &status).await?;
    publish_transition(&context.events, pipeline, &before.conditions, &status.conditions, &verdict).await;
    Ok(())
}

pub(super) fn compute(
    pipeline: &FilePipeline,
    progress: Progress,
    verdict: &Verdict,
    now: Timestamp,
) -> FilePipelineStatus {
    let before = pipeline.status.clone().unwrap_or_default();
    let generation = pipeline.metadata.generation;
    let (running, failed, newest) = match progress.counts {
        Some(counts) => (Some(counts.running), Some(counts.failed), newest(&counts)),
        // Not known this time: what was known stays.
        None => (before.running, before.failed, None),
    };
    FilePipelineStatus {
        observed_generation: generation,
        conditions: verdict.conditions(generation, &before.conditions, now),
        workers: progress.workers.or(before.workers),
        task_queue: progress.task_queue.or(before.task_queue),
        running,
        failed,
        // Temporal forgets old runs; the time of the last event stays.
        last_event_time: newest.max(before.last_event_time),
    }
}

/// RFC 3339 in whole seconds, as Kubernetes writes its times.
fn newest(counts: &Counts) -> Option<String> {
    let time = Timestamp::try_from(counts.newest?).ok()?.round(Unit::Second).ok()?;
    Some(time.to_string())
}
