//! The operator's process: flags, logs, clients, and both controllers until a signal.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use fastio_operator::config::Args;
use fastio_operator::run;
use fastio_service::{init, shutdown_signal};

fn main() -> ExitCode {
    let args = Args::parse();
    init(&args.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(async { run::run(&args, shutdown_signal()).await }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped");
            ExitCode::FAILURE
        }
    }
}
