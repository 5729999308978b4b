//! The two roles of the binary, one for each container of a worker pod.

mod poll;
mod ready;
mod steps;
mod sweep;
mod transfer;

use std::path::PathBuf;
use std::sync::Arc;

use fastio_pipeline::names::{Installation, ObjectKey, TaskQueue};
use fastio_service::Health;
use fastio_temporal::{ConfigError, ConnectionArgs};
use temporalio_sdk::error::{RuntimeError, WorkerCreateError, WorkerRunError};
use temporalio_sdk::workflows::WorkflowRegistrationError;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

pub use steps::steps;
pub use transfer::{TransferArgs, transfer};

/// Which pipeline and which host a container works for: the same in both roles.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct HostArgs {
    /// Prefix of workflow ids and task queues.
    #[arg(long, env = "FASTIO_INSTALLATION", default_value = "fastio")]
    installation: Installation,

    /// The FilePipeline.
    #[arg(long, env = "FASTIO_PIPELINE", value_name = "NAMESPACE/NAME")]
    pipeline: ObjectKey,

    /// Name of this host: the pod's. Task queues are named by it.
    #[arg(long, env = "FASTIO_HOST", value_parser = host_name)]
    host: String,

    /// The scratch space, which both containers of the pod mount.
    #[arg(long, env = "FASTIO_SCRATCH", value_name = "DIRECTORY")]
    scratch: PathBuf,

    #[command(flatten)]
    temporal: ConnectionArgs,
}

impl HostArgs {
    fn queue(&self) -> TaskQueue {
        TaskQueue::pipeline(&self.installation, &self.pipeline)
    }
}

fn host_name(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if (1..=253).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("must be a pod's name: 1 to 253 characters of a-z, 0-9, '-' and '.'".to_owned())
    }
}

/// What a role reports to.
#[derive(Clone)]
pub struct Surroundings {
    /// Readiness of the process.
    pub health: Health,
    /// What the process counts.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the process should end.
    pub stop: CancellationToken,
}

/// Why a role ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// A file that the role needs.
    #[error("--{flag} {}: {problem}", path.display())]
    File {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The Fast.io client.
    #[error(transparent)]
    Client(#[from] fastio::ClientError),
    /// The arguments of the connection to Temporal.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The SDK's runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A worker that cannot be made.
    #[error(transparent)]
    Create(#[from] WorkerCreateError),
    /// A workflow that cannot be registered.
    #[error(transparent)]
    Register(#[from] WorkflowRegistrationError),
    /// A worker that cannot go on. Starting anew is for whoever started this process.
    #[error("the worker of queue {queue:?} stopped: {source}")]
    Run {
        /// Its queue.
        queue: String,
        /// Why.
        source: WorkerRunError,
    },
}
