//! Temporal, as every part of this project uses it: the connection and the start of a workflow.

#![forbid(unsafe_code)]

mod connection;
#[cfg(feature = "worker")]
pub mod failure;
#[cfg(feature = "worker")]
pub mod heartbeat;
#[cfg(feature = "worker")]
pub mod metrics;
mod rpc;
pub mod start;
mod target;
#[cfg(feature = "worker")]
pub mod worker;

pub use connection::{ConnectionArgs, connect, connect_with_retry};
pub use rpc::one_attempt;
pub use target::{ConfigError, ConnectError, Target, Tls};
