//! Whether Temporal sees the workers.

use fastio_pipeline::names::TaskQueue;
use fastio_service::Condition;
use fastio_temporal::worker::seen_polling;
use temporalio_client::Client;
use tokio_util::sync::CancellationToken;

/// Makes the condition true once Temporal has seen this process poll all of `queues` for activities.
///
/// It stays true: an outage of Temporal later on is no reason to take a worker out of anything.
pub(super) async fn watch(
    client: Client,
    queues: Vec<TaskQueue>,
    condition: Condition,
    stop: CancellationToken,
) {
    let queues: Vec<&str> = queues.iter().map(TaskQueue::as_str).collect();
    if stop.run_until_cancelled(seen_polling(&client, &queues)).await.is_some() {
        condition.set(true);
        tracing::info!("ready");
    }
}
