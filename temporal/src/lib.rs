//! Temporal, as every part of this project uses it: the connection and the start of a workflow.

#![forbid(unsafe_code)]

mod connection;
#[cfg(feature = "worker")]
pub mod failure;
pub mod start;
#[cfg(feature = "worker")]
pub mod worker;

pub use connection::{ConfigError, ConnectError, ConnectionArgs, connect, connect_with_retry};
