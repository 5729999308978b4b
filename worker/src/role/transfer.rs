//! The role `transfer`: workflows, claims, and whatever needs the Fast.io key.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastio::{ApiKeySource, BaseUrl, Client};
use fastio_pipeline::names::TaskQueue;
use fastio_temporal::connect_with_retry;
use temporalio_sdk::Worker;

use super::{HostArgs, RoleError, Surroundings, poll, ready, sweep};
use crate::activities::{
    ClaimHost, DownloadSource, FindResults, ReleaseHost, Transfer, UploadResult, WriteComment,
};
use crate::metrics::Metrics;
use crate::plan_key::PlanKeyFile;
use crate::scratch::{Room, Scratch};
use crate::workflow::FilePipeline;
use crate::workflow::options::AT_ONCE;

/// Activities at the same time on the pipeline's queue: looks for results and claims, most of which are quick, and comments
/// without a host.
const QUEUE_SLOTS: usize = 20;

/// Slots of the host's queue on top of those of the runs that were let in: releases of runs that are about to go.
const SPARE_SLOTS: usize = 4;

/// What the role needs on top of [`HostArgs`].
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct TransferArgs {
    #[command(flatten)]
    host: HostArgs,

    /// Bytes of the scratch space that runs may use.
    #[arg(long, env = "FASTIO_SCRATCH_SIZE", value_name = "BYTES")]
    scratch_size: NonZero<u64>,

    /// Runs that this host works on at the same time.
    #[arg(long, env = "FASTIO_SLOTS", default_value = "4")]
    slots: NonZero<usize>,

    /// Where the Fast.io API is.
    #[arg(long, env = "FASTIO_BASE_URL", default_value = "https://api.fast.io/current")]
    fastio_base_url: BaseUrl,

    /// File with the Fast.io API key. Read again for each call.
    // Temporal's connection has an argument of this name in its own code, so the id must differ.
    #[arg(id = "fastio_api_key_file", long = "api-key-file", env = "FASTIO_API_KEY_FILE")]
    api_key_file: PathBuf,

    /// File with the key of the seals on run requests, at least 32 bytes. Read again for each seal.
    #[arg(long, env = "FASTIO_PLAN_KEY_FILE")]
    plan_key_file: PathBuf,
}

/// Runs the role until it is told to stop.
pub async fn transfer(args: TransferArgs, around: Surroundings) -> Result<(), RoleError> {
    let polling = around.health.condition("polling its task queues");
    let transfer = engine(&args, &around.metrics)?;
    around.metrics.watch_room(&transfer.room, args.slots.get(), args.scratch_size.get());
    let identity = format!("{}/transfer", args.host.host);
    let temporal = tokio::select! {
        connected = connect_with_retry(&args.host.temporal, &identity) => connected?,
        () = around.stop.cancelled() => return Ok(()),
    };

    let comment = WriteComment { client: transfer.client.clone(), plan_key: transfer.plan_key.clone() };
    let queue = transfer.queue.clone();
    let host_queue = TaskQueue::transfer_host(&queue, &transfer.host);
    let host_slots = args.slots.get().saturating_mul(AT_ONCE).saturating_add(SPARE_SLOTS);
    let runtime = around.metrics.temporal.runtime()?;
    let mut on_queue = poll::options(queue.as_str(), QUEUE_SLOTS, Arc::clone(&around.metrics));
    on_queue
        .register_workflow::<FilePipeline>()?
        .register_activities(FindResults(transfer.clone()))
        .register_activities(ClaimHost(transfer.clone()))
        .register_activities(comment.clone());
    let mut on_host = poll::options(host_queue.as_str(), host_slots, Arc::clone(&around.metrics));
    on_host
        .register_activities(DownloadSource(transfer.clone()))
        .register_activities(UploadResult(transfer.clone()))
        .register_activities(ReleaseHost(transfer.clone()))
        .register_activities(comment);
    let queue_worker = Worker::new(&runtime, temporal.clone(), on_queue)?;
    let host_worker = Worker::new(&runtime, temporal.clone(), on_host)?;

    tokio::spawn(sweep::sweep(temporal.clone(), Arc::clone(&transfer.room), around.stop.clone()));
    tokio::spawn(ready::watch(temporal, vec![host_queue, queue], polling, around.stop.clone()));
    tokio::try_join!(
        poll::run(queue_worker, around.stop.clone()),
        poll::run(host_worker, around.stop.clone()),
    )?;
    Ok(())
}

fn engine(args: &TransferArgs, metrics: &Metrics) -> Result<Transfer, RoleError> {
    let scratch = open_scratch(&args.host.scratch)?;
    let room = Room::open(scratch, args.scratch_size.get(), args.slots.get())
        .map_err(|error| file("scratch", &args.host.scratch, &error))?;
    let plan_key = PlanKeyFile::new(args.plan_key_file.clone());
    // A mistake in the flag is for whoever starts the process, not for the first run.
    plan_key.read().map_err(|error| file("plan-key-file", &args.plan_key_file, &error))?;
    let client = Client::new(args.fastio_base_url.clone(), ApiKeySource::File(args.api_key_file.clone()))?
        .observed_by(metrics.fastio.clone());
    Ok(Transfer {
        client,
        plan_key,
        room: Arc::new(room),
        pipeline: args.host.pipeline.clone(),
        queue: args.host.queue(),
        host: args.host.host.clone(),
    })
}

pub(super) fn open_scratch(path: &Path) -> Result<Scratch, RoleError> {
    Scratch::open(path).map_err(|error| file("scratch", path, &error))
}

fn file(flag: &'static str, path: &Path, problem: &dyn std::error::Error) -> RoleError {
    RoleError::File { flag, path: path.to_owned(), problem: problem.to_string() }
}
