//! `fastio-intake`: decides what the events of one `FastioWebhook` mean and starts the runs of its pipelines.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use fastio::{ApiKeySource, BaseUrl, Client, WorkspaceId};
use fastio_intake::activity::DecideEvent;
use fastio_intake::feed::activities::FeedActivities;
use fastio_intake::feed::{Feed, Follow, keep, watch, workflow};
use fastio_intake::intake::Intake;
use fastio_intake::metrics::Metrics;
use fastio_intake::resolve::Resolver;
use fastio_intake::unusable::UnusableDelivery;
use fastio_intake::view::{LiveView, live};
use fastio_intake::workflow::FileEvent;
use fastio_pipeline::event::Workspace;
use fastio_pipeline::names::{Installation, ObjectKey, TaskQueue, WorkflowId};
use fastio_service::{Condition, Health, LogArgs, serve_admin};
use fastio_temporal::worker::{run, seen_polling};
use fastio_temporal::{ConnectionArgs, connect_with_retry};
use prometheus_client::registry::Registry;
use temporalio_sdk::{Worker, WorkerOptions};
use tokio_util::sync::CancellationToken;

/// How long decisions may go on after SIGTERM. Then they are made elsewhere.
const GRACE: Duration = Duration::from_secs(10);

/// How often the progress of an activity is sent to Temporal at most: what a process that dies has to do again.
const HEARTBEATS: Duration = Duration::from_secs(1);

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

    /// How to find events that are not delivered.
    #[arg(long, env = "FASTIO_FOLLOW", value_enum, default_value_t = Follow::None)]
    follow: Follow,

    /// Seconds from one listing of the workspace to the next. It finds what deliveries and feeds miss.
    #[arg(long, env = "FASTIO_RELIST_SECONDS", value_name = "N", default_value_t = 3600,
          value_parser = clap::value_parser!(u64).range(10..))]
    relist_seconds: u64,

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
    // Without a feed nothing depends on it.
    let open = (args.follow != Follow::None).then(|| health.condition("feed open"));
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);

    let cluster = kube::Client::try_default().await.map_err(|error| format!("Kubernetes: {error}"))?;
    let (pipelines, follower) = live(cluster, &args.webhook, synced, metrics.clone());
    let admin = serve_admin(args.admin_listen, health, Arc::new(registry), done);
    tokio::select! {
        ended = decide_events(&args, pipelines, metrics, Ready { polling, open }, stop) => ended,
        () = follower.follow() => Err("the watch on FilePipelines ended".into()),
        ended = admin => match ended {
            Ok(()) => Ok(()),
            Err(error) => Err(format!("--admin-listen {}: {error}", args.admin_listen).into()),
        },
    }
}

/// What has to be true before this process counts.
struct Ready {
    polling: Condition,
    open: Option<Condition>,
}

/// The Temporal worker.
async fn decide_events(
    args: &Args,
    pipelines: LiveView,
    metrics: Metrics,
    ready: Ready,
    stop: CancellationToken,
) -> Result<(), AnyError> {
    let api = Client::new(args.fastio_base_url.clone(), ApiKeySource::File(args.api_key_file.clone()))?
        .observed_by(metrics.fastio.clone());
    let runtime = metrics.temporal.runtime()?;
    let workspace: Workspace = args.workspace.as_str().parse()?;
    // Each process needs a name of its own, for it asks Temporal by that whether it is seen.
    let identity = format!("intake of {}, pid {} on {}", args.webhook, std::process::id(), host());
    let connecting = connect_with_retry(&args.temporal, &identity);
    let Some(temporal) = stop.run_until_cancelled(connecting).await.transpose()? else { return Ok(()) };

    let queue = TaskQueue::intake(&args.installation, &args.webhook);
    let intake = Arc::new(Intake {
        installation: args.installation.clone(),
        webhook: args.webhook.clone(),
        workspace,
        files: Resolver::new(api.clone(), args.workspace.clone()),
        pipelines: Arc::new(pipelines),
        plan_key: args.plan_key_file.clone(),
        runs: Arc::new(temporal.clone()),
    });
    let relist_every = Duration::from_secs(args.relist_seconds);
    let feed = Feed::new(
        Arc::clone(&intake),
        api,
        args.workspace.clone(),
        args.follow,
        relist_every,
        metrics.clone(),
    );
    let options = WorkerOptions::new(queue.as_str())
        .graceful_shutdown_period(GRACE)
        .max_heartbeat_throttle_interval(HEARTBEATS)
        .register_workflow::<FileEvent>()?
        .register_workflow::<workflow::Feed>()?
        .register_workflow::<UnusableDelivery>()?
        .register_activities(DecideEvent { intake, metrics })
        .register_activities(FeedActivities { feed: Arc::new(feed), stop: stop.clone() })
        .build();
    let ending = stop.clone();
    let worker = Worker::new(&runtime, temporal.clone(), options)?;
    let feed = WorkflowId::feed(&args.installation, &args.webhook);
    let becoming_ready = async {
        seen_polling(&temporal, &[queue.as_str()]).await;
        ready.polling.set(true);
        tracing::info!(%queue, "polling");
        if let Some(open) = &ready.open {
            watch::tell_whether_well(&temporal, &feed, open).await;
        }
        std::future::pending::<()>().await;
    };
    let keeping = async {
        // Not while this process ends: its webhook may have been deleted, and the feed with it.
        ending.run_until_cancelled(Box::pin(keep::keep(&temporal, &feed, &queue))).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = run(worker, stop) => Ok(ended?),
        () = becoming_ready => Ok(()),
        () = keeping => Ok(()),
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
