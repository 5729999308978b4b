//! The life of a Temporal worker within a process: it ends when the process should, and it knows when it counts.

use std::time::Duration;

use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::IntoRequest;
use temporalio_client::{Client, NamespacedClient};
use temporalio_common::protos::temporal::api::enums::v1::TaskQueueType;
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeTaskQueueRequest;
use temporalio_sdk::Worker;
use temporalio_sdk::error::WorkerRunError;
use tokio_util::sync::CancellationToken;

/// Pause between questions for the pollers of a queue.
const PAUSE: Duration = Duration::from_millis(250);

/// Polls until `stop` is cancelled, then lets activities end within the worker's grace period.
///
/// The future must be awaited where it is made: the SDK's workers do not move between threads.
pub async fn run(mut worker: Worker, stop: CancellationToken) -> Result<(), WorkerRunError> {
    let shut_down = worker.shutdown_handle();
    let ended = CancellationToken::new();
    let _ended = ended.clone().drop_guard();
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => shut_down(),
            () = ended.cancelled() => {}
        }
    });
    worker.run().await
}

/// Waits until Temporal has seen this process poll all of `queues` for activities. Only that tells that work which is
/// asked for now will be done.
pub async fn seen_polling(client: &Client, queues: &[&str]) {
    for queue in queues {
        while !polled(client, queue).await {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn polled(client: &Client, queue: &str) -> bool {
    let request = DescribeTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: Some(TaskQueue { name: queue.to_owned(), ..Default::default() }),
        task_queue_type: TaskQueueType::Activity.into(),
        ..Default::default()
    };
    let identity = client.identity();
    match client.clone().describe_task_queue(request.into_request()).await {
        Ok(reply) => reply.into_inner().pollers.iter().any(|poller| poller.identity == identity),
        Err(status) => {
            tracing::debug!(%status, queue, "cannot ask for the pollers of a queue");
            false
        }
    }
}
