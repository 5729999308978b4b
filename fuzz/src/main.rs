//! `fuzz TARGET`: runs one target a number of times, led by its coverage.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use fastio_fuzz_targets::{TARGETS, Target, is_solved};

mod engine;

/// Runs one target a number of times, led by its coverage.
#[derive(Debug, Parser)]
struct Args {
    /// What to fuzz.
    #[arg(value_parser = target)]
    target: Target,

    /// How often at least.
    #[arg(long, default_value_t = 200_000)]
    runs: u64,

    /// The same seed and the same code make the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Directory with inputs to begin with.
    #[arg(long)]
    seeds: Option<PathBuf>,

    /// Directory for inputs that crash.
    #[arg(long, default_value = "crashes")]
    crashes: PathBuf,

    /// Runs this one file, once, without a fuzzer.
    #[arg(long)]
    replay: Option<PathBuf>,
}

fn target(name: &str) -> Result<Target, String> {
    TARGETS.into_iter().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        format!("must be one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(file) = &args.replay {
        match std::fs::read(file) {
            Ok(bytes) => (args.target.run)(&bytes),
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        }
        return ExitCode::SUCCESS;
    }
    match engine::fuzz(&args) {
        Ok(()) if args.target.name == "maze" && !is_solved() => {
            eprintln!("the maze is not solved: the fuzzer does not see its coverage");
            ExitCode::FAILURE
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", args.target.name);
            ExitCode::FAILURE
        }
    }
}
