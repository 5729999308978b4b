//! What every binary of this project does the same: logs, signals, and the admin port with probes and metrics.

#![forbid(unsafe_code)]

mod admin;
mod health;
mod listen;
mod logs;
#[cfg(any(test, feature = "metrics-page"))]
#[doc(hidden)]
pub mod metrics_page;
mod signals;

pub use admin::serve_admin;
pub use health::{Condition, Health};
pub use listen::listen;
pub use logs::{LogArgs, LogFormat, init};
pub use signals::shutdown_signal;
