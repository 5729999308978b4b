//! SIGTERM and SIGINT.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal: 128 + SIGTERM, as shells report it.
const IMPATIENT: i32 = 143;

/// A token that is cancelled by the first SIGTERM or SIGINT. A second signal ends the process at once.
///
/// Must be called within a Tokio runtime.
#[must_use]
pub fn shutdown_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            tracing::error!("cannot listen for signals; the process will stop without a grace period");
            return;
        };
        let name = next(&mut term, &mut int).await;
        tracing::info!(signal = name, "stopping");
        stop.cancel();
        let name = next(&mut term, &mut int).await;
        tracing::warn!(signal = name, "second signal, stopping at once");
        std::process::exit(IMPATIENT);
    });
    token
}

async fn next(term: &mut Signal, int: &mut Signal) -> &'static str {
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    }
}
