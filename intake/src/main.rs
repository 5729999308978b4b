//! `fastio-intake`: decides what the events of one `FastioWebhook` mean and starts the runs of its pipelines.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use fastio::{ApiKeySource, BaseUrl, Client, WorkspaceId};
use fastio_intake::activity::DecideEvent;
use fastio_intake::intake::Intake;
use fastio_intake::metrics::Metrics;
use fastio_intake::resolve::Resolver;
use fastio_intake::view::{LiveView, live};
use fastio_intake::workflow::FileEvent;
use fastio_pipeline::event::Workspace;
use fastio_pipeline::names::{Installation, ObjectKey, TaskQueue};
use fastio_service::{Condition, Health, LogArgs, serve_admin};
use fastio_temporal::worker::{run, seen_polling};
use fastio_temporal::{ConnectionArgs, connect_with_retry};
use prometheus_client::registry::Registry;
use temporalio_sdk::runtime::{Runtime, RuntimeOptions};
use temporalio_sdk::{Worker, WorkerOptions};
use tokio_util::sync::CancellationToken;

/// How long decisions may go on after SIGTERM. Then they are made elsewhere.
const GRACE: Duration = Duration::from_secs(10);

type AnyError = Box<dyn std::error::Error>;

/// Decides what the events of one FastioWebhook mean and starts the runs of its pipelines.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Prefix of workflow ids and task queues.
    #[arg(long, env = "FASTIO_INSTALLATION", default_value = "fastio")]
    installation: Installation,

    /// The FastioWebhook. Its pipelines are the FilePipeline objects of its namespace that name it.
    #[arg(long, env = "FASTIO_WEBHOOK", value_name = "NAMESPACE/NAME")]
    webhook: ObjectKey,

    /// The workspace that its events come from.
    #[arg(long, env = "FASTIO_WORKSPACE", value_name = "ID")]
    workspace: WorkspaceId,

    /// Where the Fast.io API is.
    #[arg(long, env = "FASTIO_BASE_URL", default_value = "https://api.fast.io/current")]
    fastio_base_url: BaseUrl,

    /// File with the Fast.io API key. Read again for each call.
    #[arg(long, env = "FASTIO_API_KEY_FILE")]
    api_key_file: PathBuf,

    /// File with the key that seals run requests, at least 32 bytes. Read again for each run.
    #[arg(long, env = "FASTIO_PLAN_KEY_FILE")]
    plan_key_file: PathBuf,

    /// Address for probes and metrics.
    #[arg(long, env = "FASTIO_ADMIN_LISTEN", default_value = "[::]:9090")]
    admin_listen: SocketAddr,

    #[command(flatten)]
    temporal: ConnectionArgs,

    #[command(flatten)]
    log: LogArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    fastio_service::init(&args.log);
    match Box::pin(serve(args)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything until the process should stop. A Temporal worker does not move between threads, so all of it runs here.
async fn serve(args: Args) -> Result<(), AnyError> {
    let stop = fastio_service::shutdown_signal();
    // Probes and metrics are of use to the very end.
    let done = CancellationToken::new();
    let _done = done.clone().drop_guard();
    let health = Health::new();
    let synced = health.condition("FilePipelines known");
    let polling = health.condition("polling its task queue");
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);

    let cluster = kube::Client::try_default().await.map_err(|error| format!("Kubernetes: {error}"))?;
    let (pipelines, follower) = live(cluster, &args.webhook, synced, metrics.clone());
    let admin = serve_admin(args.admin_listen, health, Arc::new(registry), done);
    tokio::select! {
        ended = decide_events(&args, pipelines, metrics, polling, stop) => ended,
        () = follower.follow() => Err("the watch on FilePipelines ended".into()),
        ended = admin => match ended {
            Ok(()) => Ok(()),
            Err(error) => Err(format!("--admin-listen {}: {error}", args.admin_listen).into()),
        },
    }
}

/// The Temporal worker.
async fn decide_events(
    args: &Args,
    pipelines: LiveView,
    metrics: Metrics,
    polling: Condition,
    stop: CancellationToken,
) -> Result<(), AnyError> {
    let api = Client::new(args.fastio_base_url.clone(), ApiKeySource::File(args.api_key_file.clone()))?;
    let workspace: Workspace = args.workspace.as_str().parse()?;
    // Each process needs a name of its own, for it asks Temporal by that whether it is seen.
    let identity = format!("intake of {}, pid {} on {}", args.webhook, std::process::id(), host());
    let connecting = connect_with_retry(&args.temporal, &identity);
    let Some(temporal) = stop.run_until_cancelled(connecting).await.transpose()? else { return Ok(()) };

    let queue = TaskQueue::intake(&args.installation, &args.webhook);
    let intake = Intake {
        installation: args.installation.clone(),
        webhook: args.webhook.clone(),
        workspace,
        files: Resolver::new(api, args.workspace.clone()),
        pipelines: Arc::new(pipelines),
        plan_key: args.plan_key_file.clone(),
        runs: Arc::new(temporal.clone()),
    };
    let options = WorkerOptions::new(queue.as_str())
        .graceful_shutdown_period(GRACE)
        .register_workflow::<FileEvent>()?
        .register_activities(DecideEvent { intake, metrics })
        .build();
    let runtime = Runtime::from_current_tokio(RuntimeOptions::default())?;
    let worker = Worker::new(&runtime, temporal.clone(), options)?;
    let ready = async {
        seen_polling(&temporal, &[queue.as_str()]).await;
        polling.set(true);
        tracing::info!(%queue, "ready");
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = run(worker, stop) => Ok(ended?),
        () = ready => Ok(()),
    }
}

/// The host's name: in Kubernetes the pod's.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown host".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
