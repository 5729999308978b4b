//! Whether Temporal sees the workers.

use std::time::Duration;

use fastio_pipeline::names::TaskQueue;
use fastio_service::Condition;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::IntoRequest;
use temporalio_client::{Client, NamespacedClient};
use temporalio_common::protos::temporal::api::enums::v1::TaskQueueType;
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue as QueueName;
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeTaskQueueRequest;
use tokio_util::sync::CancellationToken;

/// Pause between questions.
const PAUSE: Duration = Duration::from_millis(250);

/// Makes the condition true once Temporal has seen this process poll all of `queues` for activities.
///
/// Only that tells that a run which starts now will be worked on. It stays true: an outage of Temporal later on is no
/// reason to take a worker out of anything.
pub(super) async fn watch(
    client: Client,
    queues: Vec<TaskQueue>,
    condition: Condition,
    stop: CancellationToken,
) {
    for queue in queues {
        while !polled(&client, &queue).await {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
    condition.set(true);
    tracing::info!("ready");
}

async fn polled(client: &Client, queue: &TaskQueue) -> bool {
    let request = DescribeTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: Some(QueueName { name: queue.to_string(), ..Default::default() }),
        task_queue_type: TaskQueueType::Activity.into(),
        ..Default::default()
    };
    let identity = client.identity();
    match client.clone().describe_task_queue(request.into_request()).await {
        Ok(reply) => reply.into_inner().pollers.iter().any(|poller| poller.identity == identity),
        Err(status) => {
            tracing::debug!(%status, %queue, "cannot ask for the pollers of a queue");
            false
        }
    }
}
