//! The receiver's limits, from the command line.

use std::time::Duration;

use clap::value_parser;

use crate::abuse::{Abuse, AbuseLimits};
use crate::body::BodyLimits;
use crate::server::Limits;
use crate::wire::WireLimits;

/// How long the peer may refuse to take an answer.
const WRITE: Duration = Duration::from_secs(10);

/// Limits on what senders may use. The defaults fit a pod with 64 MiB.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct LimitArgs {
    /// Most bytes of one delivery. A real one has a few hundred.
    #[arg(long, env = "FASTIO_MAX_BODY_BYTES", value_name = "BYTES", default_value_t = 256 * 1024, value_parser = value_parser!(u32).range(1..=16 * 1024 * 1024))]
    max_body_bytes: u32,

    /// Most bytes of all large bodies (over 8 KiB) in flight together. Beyond it their senders are answered 503.
    #[arg(long, env = "FASTIO_MAX_IN_FLIGHT_BYTES", value_name = "BYTES", default_value_t = 8 * 1024 * 1024, value_parser = value_parser!(u32).range(1..))]
    max_in_flight_bytes: u32,

    /// Most open connections; below the process' limit of file descriptors, which is 1024 on many nodes. Beyond it a new one takes the place of one that has carried no signed delivery.
    #[arg(long, env = "FASTIO_MAX_CONNECTIONS", value_name = "N", default_value_t = 512, value_parser = value_parser!(u32).range(1..=100_000))]
    max_connections: u32,

    /// Longest time from the first to the last byte of a head.
    #[arg(long, env = "FASTIO_HEAD_TIMEOUT", value_name = "SECONDS", default_value_t = 5, value_parser = value_parser!(u64).range(1..))]
    head_timeout: u64,

    /// Longest time from the end of the head to the end of the body.
    #[arg(long, env = "FASTIO_BODY_TIMEOUT", value_name = "SECONDS", default_value_t = 10, value_parser = value_parser!(u64).range(1..))]
    body_timeout: u64,

    /// Longest wait for a request on an open connection.
    #[arg(long, env = "FASTIO_IDLE_TIMEOUT", value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(1..))]
    idle_timeout: u64,

    /// Refused requests that an address may have in one go. Beyond it they are answered 429; signed ones still pass.
    #[arg(long, env = "FASTIO_FAILURE_BURST", value_name = "N", default_value_t = AbuseLimits::default().burst, value_parser = value_parser!(u32).range(1..=1_000_000))]
    failure_burst: u32,

    /// Refused requests that an address may have for long.
    #[arg(long, env = "FASTIO_FAILURES_PER_MINUTE", value_name = "N", default_value_t = AbuseLimits::default().per_minute, value_parser = value_parser!(u32).range(1..=1_000_000))]
    failures_per_minute: u32,

    /// How long new connections are still taken after SIGTERM, until every node has heard of it.
    #[arg(long, env = "FASTIO_LAME_DUCK", value_name = "SECONDS", default_value_t = 5)]
    lame_duck: u64,

    /// Longest time from SIGTERM to the end, whatever is still under way.
    #[arg(long, env = "FASTIO_DRAIN_TIMEOUT", value_name = "SECONDS", default_value_t = 20)]
    drain_timeout: u64,
}

impl LimitArgs {
    /// Limits on connections.
    #[must_use]
    pub fn server(&self) -> Limits {
        Limits {
            connections: self.max_connections.try_into().unwrap_or(usize::MAX),
            idle: Duration::from_secs(self.idle_timeout),
            wire: WireLimits { head: Duration::from_secs(self.head_timeout), write: WRITE },
            lame_duck: Duration::from_secs(self.lame_duck),
            drain: Duration::from_secs(self.drain_timeout),
        }
    }

    /// Limits on bodies.
    #[must_use]
    pub fn body(&self) -> BodyLimits {
        let bytes = |bytes: u32| bytes.try_into().unwrap_or(usize::MAX);
        BodyLimits::new(
            bytes(self.max_body_bytes),
            Duration::from_secs(self.body_timeout),
            bytes(self.max_in_flight_bytes),
        )
    }

    /// Limits on refused requests.
    #[must_use]
    pub fn abuse(&self) -> Abuse {
        Abuse::new(AbuseLimits { burst: self.failure_burst, per_minute: self.failures_per_minute })
    }
}
