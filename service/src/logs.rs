//! Logs to standard output, and the one cryptography provider.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How to log.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct LogArgs {
    /// One JSON object a line, or text for people. Default: text on a terminal, JSON else.
    #[arg(long, env = "FASTIO_LOG_FORMAT")]
    log_format: Option<LogFormat>,

    /// What to log: a level, or directives as in `info,fastio_worker=debug`.
    #[arg(long, env = "FASTIO_LOG", default_value = "info")]
    log: String,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// First thing in `main`: installs the cryptography provider and starts logging.
///
/// Several libraries bring rustls. It has no default provider once two of them ask for different ones, and then panics
/// at the first connection: so there is one, named here.
pub fn init(args: &LogArgs) {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = EnvFilter::try_new(&args.log).unwrap_or_else(|error| {
        let filter = EnvFilter::new("info");
        eprintln!("--log {:?}: {error}; using \"info\"", args.log);
        filter
    });
    let format = args.log_format.unwrap_or(if std::io::stdout().is_terminal() {
        LogFormat::Text
    } else {
        LogFormat::Json
    });
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
        }
        LogFormat::Text => builder.init(),
    }
}
