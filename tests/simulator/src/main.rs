//! Command line of the simulated Fast.io service.

use std::{io::IsTerminal as _, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use fastio_simulator::{FinalStatus, NamedWorkspace, Settings, Simulator, StartError, WebhookDialect};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A simulated Fast.io service for tests and the demo.
///
/// The API is below /current, a page to look at is at /, and the control API for tests
/// (workspaces, keys, faults, deliveries, counts of calls) is below /control/. There is no access
/// control on the last two: keep the address private.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Directory of the state, which survives restarts. It is made when it does not exist.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// Organisation of the workspaces that `--workspace` makes.
    #[arg(long, value_name = "NAME", default_value = "Simulated Studio")]
    org: String,

    /// Make a workspace, with this 19-digit id if one is given. Repeatable.
    #[arg(long = "workspace", value_name = "NAME[=ID]")]
    workspaces: Vec<NamedWorkspace>,

    /// Accept an API key. Repeatable.
    #[arg(long = "api-key", value_name = "KEY", env = "FASTIO_SIMULATOR_API_KEY", hide_env_values = true)]
    api_keys: Vec<String>,

    /// Offer a webhook API. Without it there is none (404, code 9992), as in the live service.
    #[arg(long, value_enum, value_name = "DIALECT")]
    webhooks: Option<WebhookDialect>,

    /// Seconds before the second attempt of a webhook delivery. Doubled each time, at most 60.
    #[arg(long, default_value = "1", value_parser = seconds, value_name = "SECONDS")]
    webhook_retry_base: Duration,

    /// Seconds that a webhook receiver has to answer.
    #[arg(long, default_value = "10", value_parser = seconds, value_name = "SECONDS")]
    webhook_timeout: Duration,

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
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

impl From<Arguments> for Settings {
    fn from(arguments: Arguments) -> Self {
        Self {
            data: arguments.data,
            webhooks: arguments.webhooks,
            webhook_retry_base: arguments.webhook_retry_base,
            webhook_timeout: arguments.webhook_timeout,
            ranges: !arguments.no_ranges,
            upload_final: arguments.upload_final,
            upload_step: Duration::from_millis(arguments.upload_step),
            inline_file_id: arguments.inline_file_id,
            rate_limit: arguments.rate_limit,
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
