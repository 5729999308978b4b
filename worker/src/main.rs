//! `fastio-worker`: runs the `FilePipeline` workflows of one FilePipeline, in the two containers of a worker pod.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use fastio_service::{Health, LogArgs, serve_admin, shutdown_signal};
use fastio_worker::metrics::Metrics;
use fastio_worker::role::{self, HostArgs, Surroundings, TransferArgs};
use prometheus_client::registry::Registry;

/// Runs the workflows of one FilePipeline.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    role: Role,

    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Moves bytes between Fast.io and the scratch space. Holds the API key.
    Transfer {
        #[command(flatten)]
        transfer: TransferArgs,

        /// Address for probes and metrics.
        #[arg(long, env = "FASTIO_ADMIN_LISTEN", default_value = "[::]:9090")]
        admin_listen: SocketAddr,
    },
    /// Runs the steps on files in the scratch space. Holds no key.
    Steps {
        #[command(flatten)]
        host: HostArgs,

        /// Address for probes and metrics.
        #[arg(long, env = "FASTIO_ADMIN_LISTEN", default_value = "[::]:9091")]
        admin_listen: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    fastio_service::init(&args.log);
    let stop = shutdown_signal();
    let health = Health::new();
    let mut registry = Registry::default();
    let metrics = Arc::new(Metrics::register(&mut registry));
    let around = Surroundings { health: health.clone(), metrics, stop: stop.clone() };
    let (Role::Transfer { admin_listen, .. } | Role::Steps { admin_listen, .. }) = args.role;
    let admin = serve_admin(admin_listen, health, Arc::new(registry), stop.clone());
    let role = async {
        match args.role {
            Role::Transfer { transfer, .. } => role::transfer(transfer, around).await,
            Role::Steps { host, .. } => role::steps(host, around).await,
        }
    };
    // A Temporal worker stays on the thread that it is run on, so the role runs here and not in a task.
    tokio::select! {
        ended = role => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(%error, "the worker stopped");
                ExitCode::FAILURE
            }
        },
        failed = failed(admin) => {
            tracing::error!(error = %failed, listen = %admin_listen, "the admin port cannot be served");
            ExitCode::FAILURE
        }
    }
}

/// Waits for the admin port to fail. That it ended because the process should stop is no reason to stop before the work.
async fn failed(admin: impl Future<Output = std::io::Result<()>>) -> std::io::Error {
    match admin.await {
        Err(error) => error,
        Ok(()) => std::future::pending().await,
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

    #[test]
    fn the_pods_command_lines_are_understood() {
        let host = ["--installation", "fastio", "--pipeline", "media/photos", "--host", "photos-7d9f-abcde"];
        let place = ["--scratch", "/scratch", "--temporal-address", "temporal-frontend.temporal:7233"];
        let steps = ["fastio-worker", "steps", "--admin-listen", "[::]:9091"];
        assert!(Args::try_parse_from(steps.iter().chain(&host).chain(&place)).is_ok());
        let transfer = ["fastio-worker", "transfer", "--scratch-size", "10737418240", "--slots", "4"];
        let fastio = ["--fastio-base-url", "http://fastio-simulator.fastio-simulator.svc:8080/current"];
        let files =
            ["--api-key-file", "/k/apiKey", "--plan-key-file", "/p/key", "--temporal-api-key-file", "/t/key"];
        let all = transfer.iter().chain(&host).chain(&place).chain(&fastio).chain(&files);
        assert!(Args::try_parse_from(all).is_ok());
        assert!(Args::try_parse_from(["fastio-worker", "transfer"]).is_err());
    }
}
