//! `fastio-receiver`: takes signed deliveries of one `FastioWebhook` and starts a `FileEvent` workflow for each event.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Parser;
use fastio_pipeline::event::EventKind;
use fastio_pipeline::names::{Installation, ObjectKey};
use fastio_receiver::deliver::{BUDGET, Delivery, TemporalStarter};
use fastio_receiver::descriptors;
use fastio_receiver::limits::LimitArgs;
use fastio_receiver::metrics::Metrics;
use fastio_receiver::request::Endpoint;
use fastio_receiver::secret::Secrets;
use fastio_receiver::server::serve;
use fastio_receiver::signing::SigningArgs;
use fastio_service::{Health, LogArgs, listen, serve_admin};
use fastio_temporal::{ConnectionArgs, connect_with_retry};
use prometheus_client::registry::Registry;
use temporalio_client::Client;
use tokio_util::sync::CancellationToken;

/// Takes signed deliveries of one FastioWebhook and starts a workflow for each event.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Prefix of workflow ids and task queues.
    #[arg(long, env = "FASTIO_INSTALLATION", default_value = "fastio")]
    installation: Installation,

    /// The FastioWebhook.
    #[arg(long, env = "FASTIO_WEBHOOK", value_name = "NAMESPACE/NAME")]
    webhook: ObjectKey,

    /// Path that deliveries are posted to. Every other path is answered 404.
    #[arg(long, env = "FASTIO_PATH", value_parser = path)]
    path: String,

    /// Kinds of event that the webhook is subscribed to.
    #[arg(long, env = "FASTIO_EVENTS", value_delimiter = ',', value_parser = event_kind, required = true)]
    events: Vec<EventKind>,

    /// Directory with the files `current` and, during a rotation, `previous`. Read again when they change.
    #[arg(long, env = "FASTIO_SIGNING_SECRET_DIR")]
    signing_secret_dir: PathBuf,

    /// Address for deliveries. `[::]` means IPv4 too.
    #[arg(long, env = "FASTIO_LISTEN", default_value = "[::]:8080")]
    listen: SocketAddr,

    /// Address for probes and metrics.
    #[arg(long, env = "FASTIO_ADMIN_LISTEN", default_value = "[::]:9090")]
    admin_listen: SocketAddr,

    #[command(flatten)]
    signing: SigningArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    temporal: ConnectionArgs,

    #[command(flatten)]
    log: LogArgs,
}

fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#') {
        Ok(text.to_owned())
    } else {
        Err("must start with '/' and have no space, '?' or '#'".to_owned())
    }
}

fn event_kind(text: &str) -> Result<EventKind, String> {
    EventKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let known = EventKind::ALL.map(EventKind::as_str).join(", ");
        format!("must be one of {known}")
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    fastio_service::init(&args.log);
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let scheme = args.signing.scheme()?;
    let limits = args.limits.check()?;
    descriptors::ensure(limits.server.connections)?;
    let stop = fastio_service::shutdown_signal();
    // Probes and metrics are of use to the very end.
    let done = CancellationToken::new();
    let _done = done.clone().drop_guard();
    let health = Health::new();
    let (loaded, listening) = (health.condition("signing secret loaded"), health.condition("listening"));
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);

    let client = Arc::new(OnceLock::new());
    let starter = TemporalStarter {
        installation: args.installation,
        webhook: args.webhook.clone(),
        client: Arc::clone(&client),
    };
    let endpoint = Arc::new(Endpoint {
        path: args.path,
        events: args.events.into_iter().collect(),
        body: limits.body,
        secrets: Secrets::open(args.signing_secret_dir, scheme, args.signing.secret_encoding, loaded),
        abuse: limits.abuse,
        delivery: Delivery::new(starter, BUDGET, metrics.clone()),
        metrics,
    });

    let listener = listen(args.listen).map_err(|error| format!("--listen {}: {error}", args.listen))?;
    listening.set(true);
    tracing::info!(webhook = %args.webhook, address = ?listener.local_addr(), path = endpoint.path, "listening");
    let admin = serve_admin(args.admin_listen, health, Arc::new(registry), done.clone());
    let secrets = Arc::clone(&endpoint);
    let watch = async { secrets.secrets.watch(done.clone()).await };
    let not_ready_any_more = async {
        stop.cancelled().await;
        listening.set(false);
    };
    let serving = async {
        tokio::join!(serve(listener, endpoint, limits.server, stop.clone()), not_ready_any_more);
    };

    // Everything but the deliveries runs until they are done, or fails.
    tokio::select! {
        () = serving => {
            tracing::info!("every request is answered, stopped");
            Ok(())
        }
        error = connection(&args.temporal, &args.webhook, &client) => Err(error),
        outcome = admin => match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(format!("--admin-listen {}: {error}", args.admin_listen).into()),
        },
        () = watch => Ok(()),
    }
}

/// Connects to Temporal, however long that takes. The client renews its connection by itself afterwards, so this ends
/// only if the arguments are of no use.
async fn connection(
    args: &ConnectionArgs,
    webhook: &ObjectKey,
    client: &OnceLock<Client>,
) -> Box<dyn std::error::Error> {
    match connect_with_retry(args, &format!("receiver of {webhook}")).await {
        Ok(connected) => {
            client.get_or_init(|| connected);
            std::future::pending().await
        }
        Err(error) => error.into(),
    }
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
