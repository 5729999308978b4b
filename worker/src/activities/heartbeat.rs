//! Heartbeats while an engine works.

use fastio_temporal::heartbeat;
use serde::Serialize;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use crate::failure::Failure;

/// Works with heartbeats of `details` ([`heartbeat::beating`]), and tells Temporal what an error means.
pub(super) async fn beating<T, E, D>(
    ctx: &ActivityContext,
    details: impl Fn() -> D,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, ActivityError>
where
    Failure: From<E>,
    D: Serialize + Clone + PartialEq + Send + Sync + 'static,
{
    heartbeat::beating(ctx, details, work).await?.map_err(|error| Failure::from(error).into())
}
