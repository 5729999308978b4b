//! Command line of the simulated Fast.io service.

use std::{
    io::IsTerminal as _, net::SocketAddr, num::NonZeroUsize, path::PathBuf, process::ExitCode, time::Duration,
};

use clap::{Args, Parser};
use fastio_simulator::{
    ExpiresForm, FinalStatus, NamedWorkspace, Settings, Simulator, StartError, WebhookDialect,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A simulated Fast.io service for tests and the demo.
///
/// The API is below /current, in the real service's shapes. A page to look at, which takes files
/// that are dropped on it, is at /. The control API for tests (workspaces, keys, webhook endpoints,
/// faults, results of the virus scan, deliveries, counts of calls) is below /control/; the README
/// describes it, and lists which calls of the service are not simulated. There is no access control
/// on the last two: keep the address private.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, after_help = EXAMPLES)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Directory of the state, which survives restarts. It is made when it does not exist.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Organisation of the workspaces that `--workspace` makes.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "Simulated Studio",
        help_heading = "There from the start"
    )]
    org: String,

    /// Make a workspace, with this 19-digit id if one is given. Repeatable.
    #[arg(long = "workspace", value_name = "NAME[=ID]", help_heading = "There from the start")]
    workspaces: Vec<NamedWorkspace>,

    /// Accept an API key. Repeatable.
    #[arg(
        long = "api-key",
        value_name = "KEY",
        env = "FASTIO_SIMULATOR_API_KEY",
        hide_env_values = true,
        help_heading = "There from the start"
    )]
    api_keys: Vec<String>,

    #[command(flatten)]
    webhooks: Webhooks,

    #[command(flatten)]
    behaviour: Behaviour,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Webhooks")]
struct Webhooks {
    /// Offer a webhook API. Without it there is none (404, code 9992), as in the live service.
    /// Endpoints made through the control API work in any case.
    #[arg(long = "webhooks", value_enum, value_name = "DIALECT")]
    dialect: Option<WebhookDialect>,

    /// With `--webhooks subscriptions`: take http URLs and private addresses, which the service refused.
    #[arg(long)]
    insecure_targets: bool,

    /// Delay before the second attempt of a delivery; doubled each time.
    #[arg(long, default_value = "1", value_parser = seconds, value_name = "SECONDS")]
    webhook_retry_base: Duration,

    /// Longest delay between two attempts, unless the receiver asks for a longer one.
    #[arg(long, default_value = "60", value_parser = seconds, value_name = "SECONDS")]
    webhook_retry_max: Duration,

    /// Age at which a delivery is given up: 24 hours, as one of the service's articles has it.
    #[arg(long, default_value = "86400", value_parser = seconds, value_name = "SECONDS")]
    webhook_give_up: Duration,

    /// Time that a receiver has to answer.
    #[arg(long, default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    webhook_timeout: Duration,

    /// Disable a webhook after so many failed attempts in a row. Never by default.
    #[arg(long, value_name = "ATTEMPTS")]
    webhook_suspend_after: Option<u32>,

    /// Deliveries to one webhook at the same time, each with its connection, which is kept.
    #[arg(long, default_value = "32", value_name = "CONNECTIONS")]
    webhook_connections: NonZeroUsize,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Behaviour on which sources disagree")]
struct Behaviour {
    /// Ignore `Range` in downloads: always answer 200 with the whole file.
    #[arg(long)]
    no_ranges: bool,

    /// Status name of a finished upload.
    #[arg(long, value_enum, default_value = "complete", value_name = "STATUS")]
    upload_final: FinalStatus,

    /// Milliseconds that a finished upload spends in each of `assembling` and `storing`.
    #[arg(long, default_value = "25", value_name = "MILLISECONDS")]
    upload_step: u64,

    /// Answer an upload in one call with the id of the file at once, not with null.
    #[arg(long)]
    inline_file_id: bool,

    /// Calls per minute of one API key.
    #[arg(long, default_value = "100000", value_name = "CALLS")]
    rate_limit: u32,

    /// Form of the header `x-ve-limit-expires`.
    #[arg(long, value_enum, default_value = "epoch", value_name = "FORM")]
    limit_expires: ExpiresForm,

    /// Age at which a cursor of the change feed is not taken any more.
    #[arg(long, default_value = "2592000", value_parser = seconds, value_name = "SECONDS")]
    change_cursor_lifetime: Duration,
}

const EXAMPLES: &str = "\
Examples:
  A workspace, a key and the guide's webhook API:
    fastio-simulator --data /tmp/fastio --workspace Studio=1234567890123456789 \\
        --api-key demo-key --webhooks guide

  Upload a file, then look at http://127.0.0.1:8080/ (or drop one there):
    curl -T photo.jpg -X POST \\
        'http://127.0.0.1:8080/control/upload?workspace=1234567890123456789&name=photo.jpg'

  A webhook endpoint without any webhook API, signed over time and body:
    curl -H 'content-type: application/json' http://127.0.0.1:8080/control/webhooks -d \\
        '{\"workspace\": \"1234567890123456789\", \"url\": \"http://127.0.0.1:9000/\", \"secret\": \"s3cret\",
          \"scheme\": \"stamped-base64\", \"payload\": \"events\"}'

  Have the virus scan find something in the next file of that name:
    curl -H 'content-type: application/json' http://127.0.0.1:8080/control/faults -d \\
        '{\"kind\": \"infect_files\", \"name\": \"photo.jpg\", \"reason\": \"Worm\"}'

  Lose a fifth of all deliveries, and answer the next call of any kind with 503:
    curl -H 'content-type: application/json' http://127.0.0.1:8080/control/faults -d \\
        '{\"kind\": \"drop_deliveries\", \"probability\": 0.2, \"seed\": 7}'
    curl -H 'content-type: application/json' http://127.0.0.1:8080/control/faults -d \\
        '{\"kind\": \"fail\", \"operation\": \"*\", \"status\": 503, \"retry_after\": 2}'";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

impl From<Arguments> for Settings {
    fn from(arguments: Arguments) -> Self {
        let Arguments { webhooks, behaviour, .. } = arguments;
        Self {
            data: arguments.data,
            webhooks: webhooks.dialect,
            webhook_retry_base: webhooks.webhook_retry_base,
            webhook_retry_max: webhooks.webhook_retry_max,
            webhook_give_up: webhooks.webhook_give_up,
            webhook_timeout: webhooks.webhook_timeout,
            webhook_suspend_after: webhooks.webhook_suspend_after,
            webhook_connections: webhooks.webhook_connections,
            ranges: !behaviour.no_ranges,
            upload_final: behaviour.upload_final,
            upload_step: Duration::from_millis(behaviour.upload_step),
            inline_file_id: behaviour.inline_file_id,
            rate_limit: behaviour.rate_limit,
            limit_expires: behaviour.limit_expires,
            change_cursor_lifetime: behaviour.change_cursor_lifetime,
            insecure_targets: webhooks.insecure_targets,
            org: arguments.org,
            workspaces: arguments.workspaces,
            api_keys: arguments.api_keys,
        }
    }
}

/// Why the process ends.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the server stopped: {0}")]
    Serve(std::io::Error),
    #[error("signals cannot be handled: {0}")]
    Signal(std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let address = arguments.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| Failure::Listen(address, error))?;
    let simulator = Simulator::start(arguments.into(), listener)?;
    tracing::info!(api = simulator.api_base(), "listening");
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(Failure::Signal)?;
    tokio::select! {
        served = simulator.join() => served.map_err(Failure::Serve),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::Signal),
        _ = terminate.recv() => Ok(()),
    }
}
