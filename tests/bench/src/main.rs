//! `fastio-bench`: puts load on what `make bench` measures, and says what came of it as one line of JSON.
//!
//! One program makes both sides of each comparison, signed deliveries and bare starts, so that both have the same
//! schedule, the same clock and the same arithmetic. It shares no code with the receiver. Where a large file is moved,
//! the program is itself what is measured: the client of the API is ours.

mod bare;
mod connection;
mod delivery;
mod load;
mod oversized;
mod report;
mod stub;
mod transfer;

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::bare::Bare;
use crate::connection::Sender;
use crate::delivery::{Delivery, Events};
use crate::load::{Load, LoadError};

/// Puts load on a webhook endpoint or on Temporal itself.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends signed deliveries, each with an event id of its own.
    Deliver {
        #[command(flatten)]
        endpoint: Endpoint,
        /// Signing secret.
        #[arg(long)]
        secret: String,
        #[command(flatten)]
        shape: Shape,
    },
    /// Starts workflows with Temporal's SDK and nothing around it.
    Start {
        /// Temporal's frontend.
        #[arg(long, value_name = "IP:PORT")]
        temporal: SocketAddr,
        #[command(flatten)]
        shape: Shape,
    },
    /// Sends one endless-looking body without a signature.
    Oversized {
        #[command(flatten)]
        endpoint: Endpoint,
        /// Bytes of the body.
        #[arg(long)]
        bytes: u64,
        /// Send it in chunks, with a signature that does not fit: some endpoints only then begin to read.
        #[arg(long)]
        forged: bool,
    },
    /// Sends one large file to a Fast.io and reads it again, with the client that the workers use. The key is in the
    /// environment variable `FASTIO_API_KEY`.
    Transfer {
        /// The API's base URL.
        #[arg(long)]
        base_url: String,
        /// API key.
        #[arg(long, env = "FASTIO_API_KEY", hide_env_values = true)]
        key: String,
        /// Id of the workspace.
        #[arg(long)]
        workspace: String,
        /// Bytes of the file.
        #[arg(long)]
        bytes: u64,
    },
    /// Answers as Temporal's frontend does, always with yes and at once. Ends, and counts, when its standard input does.
    Engine {
        /// Address to listen on.
        #[arg(long, value_name = "IP:PORT")]
        listen: SocketAddr,
    },
}

#[derive(Debug, Args)]
struct Endpoint {
    /// Address of the endpoint.
    #[arg(long, value_name = "IP:PORT")]
    to: SocketAddr,
    /// Path of the endpoint.
    #[arg(long)]
    path: String,
}

#[derive(Debug, Args)]
struct Shape {
    /// Distinguishes the event ids of this run from those of every other.
    #[arg(long)]
    run: String,
    /// Kind of the events.
    #[arg(long, default_value = "upload")]
    kind: String,
    /// Events in all, after the warm-up.
    #[arg(long)]
    count: u64,
    /// Stop earlier after this many seconds.
    #[arg(long, default_value_t = 3600.0)]
    seconds: f64,
    /// Seconds of load before anything is measured.
    #[arg(long, default_value_t = 0.0)]
    warm_up: f64,
    /// Closed loop: so many at a time, each followed by the next.
    #[arg(long, conflicts_with = "rate")]
    in_flight: Option<usize>,
    /// Open loop: so many a second, whether or not the ones before are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// Say `ready` after the warm-up, while nothing is under way, and wait for a line on standard input.
    #[arg(long)]
    hold: bool,
}

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error("--seconds and --warm-up are times, --rate is more than 0")]
    Shape,
    #[error("one of --in-flight and --rate is needed")]
    NoLoad,
    #[error("--secret: {0}")]
    Secret(#[from] hmac::digest::InvalidLength),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("Temporal: {0}")]
    Temporal(String),
    #[error("transfer: {0}")]
    Transfer(Box<dyn std::error::Error>),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Shape {
    fn load(&self) -> Result<Load, BenchError> {
        let time = |seconds| Duration::try_from_secs_f64(seconds).map_err(|_| BenchError::Shape);
        let pace = match (self.in_flight, self.rate) {
            (Some(in_flight), _) => load::Pace::Closed { in_flight },
            (None, Some(rate)) if rate > 0.0 => load::Pace::Open { interval: time(rate.recip())? },
            (None, Some(_)) => return Err(BenchError::Shape),
            (None, None) => return Err(BenchError::NoLoad),
        };
        Ok(Load {
            pace,
            warm_up: time(self.warm_up)?,
            count: self.count,
            time: time(self.seconds)?,
            hold: self.hold,
        })
    }
}

// One thread: the load must take less than the other core of two, and no lock is ever waited for.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await.and_then(|line| Ok(writeln!(std::io::stdout(), "{line}")?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("fastio-bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<String, BenchError> {
    Ok(match command {
        Command::Deliver { endpoint: Endpoint { to, path }, secret, shape } => {
            let events = Events::new(&shape.run, &shape.kind);
            let delivery = Delivery::new(&to.to_string(), &path, &secret, events)?;
            let sender = Arc::new(Sender::new(to, delivery));
            serde_json::to_string(&load::run(shape.load()?, sender).await?)?
        }
        Command::Start { temporal, shape } => {
            let events = Events::new(&shape.run, &shape.kind);
            let bare = Bare::connect(temporal, events).await.map_err(BenchError::Temporal)?;
            serde_json::to_string(&load::run(shape.load()?, Arc::new(bare)).await?)?
        }
        Command::Oversized { endpoint: Endpoint { to, path }, bytes, forged } => {
            serde_json::to_string(&oversized::send(to, &path, bytes, forged).await?)?
        }
        Command::Transfer { base_url, key, workspace, bytes } => {
            let done = transfer::transfer(&base_url, &key, &workspace, bytes).await;
            serde_json::to_string(&done.map_err(BenchError::Transfer)?)?
        }
        Command::Engine { listen } => serde_json::to_string(&stub::serve(listen).await?)?,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
