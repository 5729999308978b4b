//! A Temporal worker's options and its life.

use std::sync::Arc;
use std::time::Duration;

use temporalio_sdk::runtime::PollerBehavior;
use temporalio_sdk::runtime::worker_tuner::{FixedSizeSlotSupplier, TunerHolder};
use temporalio_sdk::{Worker, WorkerOptions};
use tokio_util::sync::CancellationToken;

use super::RoleError;
use crate::metrics::{ActivityMetrics, Metrics};

/// At most one heartbeat a second leaves the process: how much work a crash can cost, and how soon a cancellation
/// arrives.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long activities may go on after SIGTERM. Then they are cancelled and go on elsewhere, where their last heartbeat
/// left off.
const GRACE: Duration = Duration::from_secs(10);

/// Pollers for each kind of task of a queue. Few: a pod has several queues, and each poll is an open call.
const POLLERS: usize = 3;

/// Workflow tasks at the same time. They are short and run on one thread.
const WORKFLOW_SLOTS: usize = 50;

/// Options of a worker of `queue` that runs so many activities at the same time.
pub(super) fn options(queue: &str, activities: usize, metrics: Arc<Metrics>) -> WorkerOptions {
    WorkerOptions::new(queue)
        .tuner(
            TunerHolder::builder()
                .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(WORKFLOW_SLOTS))
                .activity_task_slot_supplier(FixedSizeSlotSupplier::new(activities))
                .local_activity_task_slot_supplier(FixedSizeSlotSupplier::new(1))
                .nexus_task_slot_supplier(FixedSizeSlotSupplier::new(1))
                .build(),
        )
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLERS))
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLERS))
        .max_heartbeat_throttle_interval(HEARTBEAT)
        .graceful_shutdown_period(GRACE)
        .activity_inbound_interceptor(ActivityMetrics(metrics))
        .build()
}

/// Polls until `stop`, then lets activities end. An error names the queue.
pub(super) async fn run(worker: Worker, stop: CancellationToken) -> Result<(), RoleError> {
    let queue = worker.task_queue().to_owned();
    fastio_temporal::worker::run(worker, stop).await.map_err(|source| RoleError::Run { queue, source })
}
