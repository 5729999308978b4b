//! Heartbeats while an engine works.

use std::time::Duration;

use serde::Serialize;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::Instant;

/// How often the details are looked at. What changed is sent then; the SDK sends one heartbeat in
/// `WorkerOptions::max_heartbeat_throttle_interval` at most.
const LOOK: Duration = Duration::from_millis(500);

/// How often a heartbeat is sent that says nothing new. Below a third of any heartbeat timeout that is in use, and seldom
/// enough for an activity that waits for days: heartbeats are what Temporal Cloud is paid for.
const QUIET: Duration = Duration::from_secs(3);

/// Works, with heartbeats of `details`, until the work is done or the activity is cancelled: by its workflow, or by the end
/// of this process.
///
/// The details of the last heartbeat travel with a failure, so the next attempt knows them however this one ended.
pub async fn beating<T, D>(
    ctx: &ActivityContext,
    details: impl Fn() -> D,
    work: impl Future<Output = T>,
) -> Result<T, ActivityError>
where
    D: Serialize + Clone + PartialEq + Send + Sync + 'static,
{
    tokio::pin!(work);
    let mut clock = tokio::time::interval(LOOK);
    let mut sent: Option<(Instant, D)> = None;
    let result = loop {
        tokio::select! {
            result = &mut work => break Ok(result),
            _ = clock.tick() => {}
            () = ctx.cancelled() => break Err(ActivityError::cancelled()),
        }
        let now = details();
        if sent.as_ref().is_none_or(|(at, before)| *before != now || at.elapsed() >= QUIET) {
            ctx.record_heartbeat(now.clone()).await?;
            sent = Some((Instant::now(), now));
        }
    };
    let last = details();
    if sent.is_none_or(|(_, before)| before != last) {
        ctx.record_heartbeat(last).await?;
    }
    result
}
