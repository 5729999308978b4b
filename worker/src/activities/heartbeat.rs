//! Heartbeats while an engine works.

use std::time::Duration;

use serde::Serialize;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::failure::Failure;

/// How often a heartbeat is handed to the SDK, which sends at most one a second
/// (`WorkerOptions::max_heartbeat_throttle_interval`).
const BEAT: Duration = Duration::from_millis(500);

/// Works, with a heartbeat of `details` every half second, until the work is done or the activity is cancelled: by its
/// workflow, or by the end of this process.
///
/// The details of the last heartbeat travel with a failure, so the next attempt knows them however this one ended.
pub(super) async fn beating<T, E, D>(
    ctx: &ActivityContext,
    details: impl Fn() -> D,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, ActivityError>
where
    Failure: From<E>,
    D: Serialize + Send + Sync + 'static,
{
    tokio::pin!(work);
    let mut clock = tokio::time::interval(BEAT);
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            _ = clock.tick() => ctx.record_heartbeat(details()).await?,
            () = ctx.cancelled() => {
                ctx.record_heartbeat(details()).await?;
                return Err(ActivityError::cancelled());
            }
        }
    };
    match result {
        Ok(value) => Ok(value),
        Err(error) => {
            ctx.record_heartbeat(details()).await?;
            Err(Failure::from(error).into())
        }
    }
}
