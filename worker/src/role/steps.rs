//! The role `steps`: whatever touches the content of files. Holds no key.

use fastio_pipeline::names::TaskQueue;
use fastio_temporal::connect_with_retry;
use temporalio_sdk::Worker;
use tokio_util::sync::CancellationToken;

use super::transfer::open_scratch;
use super::{HostArgs, RoleError, Surroundings, poll, ready};
use crate::activities::RunStep;
use crate::scratch::{BEAT, Scratch};
use crate::steps::{Cpu, Memory};

/// Steps that wait for a turn on a processor, or have it. More than the runs of a host can have under way: a step that
/// finds no slot would look like a host that is gone.
const SLOTS: usize = 1_000;

/// Runs the role until it is told to stop.
pub async fn steps(args: HostArgs, around: Surroundings) -> Result<(), RoleError> {
    let polling = around.health.condition("polling its task queue");
    let scratch = open_scratch(&args.scratch)?;
    let memory = Memory::of_this_container();
    tracing::info!(mebibytes = memory.mebibytes(), "memory for files that are worked on at the same time");
    let run_step = RunStep { scratch: scratch.clone(), cpu: Cpu::for_this_machine(), memory };
    let identity = format!("{}/steps", args.host);
    let temporal = tokio::select! {
        connected = connect_with_retry(&args.temporal, &identity) => connected?,
        () = around.stop.cancelled() => return Ok(()),
    };
    let queue = TaskQueue::steps_host(&args.queue(), &args.host);
    let runtime = around.metrics.temporal.runtime()?;
    let mut options = poll::options(queue.as_str(), SLOTS, around.metrics);
    options.register_activities(run_step);
    let worker = Worker::new(&runtime, temporal.clone(), options)?;
    tokio::spawn(ready::watch(temporal, vec![queue], polling, around.stop.clone()));
    tokio::spawn(beat(scratch, around.stop.clone()));
    poll::run(worker, around.stop).await
}

/// Lets the other container know that this one polls, until `stop`.
async fn beat(scratch: Scratch, stop: CancellationToken) {
    let mut clock = tokio::time::interval(BEAT);
    let mut beating = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = clock.tick() => {}
        }
        let beat = scratch.beat();
        if let (true, Err(error)) = (beating, &beat) {
            tracing::warn!(%error, "the scratch space cannot be written; this host gets no more runs");
        }
        beating = beat.is_ok();
    }
    if let Err(error) = scratch.stop_beating() {
        tracing::debug!(%error, "the pulse stays until it is old");
    }
}
