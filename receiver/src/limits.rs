//! The receiver's limits, from the command line.

use std::time::Duration;

use clap::value_parser;

use crate::abuse::{Abuse, AbuseLimits};
use crate::body::{BodyLimits, SMALL};
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

    /// Most open connections. The process needs a file descriptor for each, and 256 more. Beyond it a new one takes the place of one that has carried no signed delivery.
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

/// Two limits that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// No body of the largest size would ever find room.
    #[error(
        "--max-body-bytes {body} is more than --max-in-flight-bytes {in_flight} and the {SMALL} bytes that need none of it: \
         no body of that size would ever be taken. Lower the first, or raise the second to {} at least",
        body.saturating_sub(SMALL)
    )]
    BodyBeyondBudget {
        /// `--max-body-bytes`.
        body: usize,
        /// `--max-in-flight-bytes`.
        in_flight: usize,
    },
    /// Every connection would be cut off at the stop.
    #[error(
        "--drain-timeout {drain} is not more than --lame-duck {lame_duck}, in which new requests are still taken: no time would \
         be left to answer them. Raise the first, which counts from SIGTERM too, or lower the second"
    )]
    NoTimeToDrain {
        /// `--drain-timeout` in seconds.
        drain: u64,
        /// `--lame-duck` in seconds.
        lame_duck: u64,
    },
    /// The limit on a head would never be met.
    #[error(
        "--head-timeout {head} is more than --idle-timeout {idle}, which ends a connection whose head has not arrived too: the \
         first would never be met. Lower it, or raise the second"
    )]
    HeadBeyondIdle {
        /// `--head-timeout` in seconds.
        head: u64,
        /// `--idle-timeout` in seconds.
        idle: u64,
    },
}

/// Limits that go together.
#[derive(Debug)]
pub struct CheckedLimits {
    /// Limits on connections.
    pub server: Limits,
    /// Limits on bodies.
    pub body: BodyLimits,
    /// Limits on refused requests.
    pub abuse: Abuse,
}

impl LimitArgs {
    /// The limits, unless two of them contradict each other.
    pub fn check(&self) -> Result<CheckedLimits, LimitsError> {
        let size = |number: u32| number.try_into().unwrap_or(usize::MAX);
        let (body, in_flight) = (size(self.max_body_bytes), size(self.max_in_flight_bytes));
        if body > in_flight.saturating_add(SMALL) {
            return Err(LimitsError::BodyBeyondBudget { body, in_flight });
        }
        let (drain, lame_duck) = (self.drain_timeout, self.lame_duck);
        if drain <= lame_duck {
            return Err(LimitsError::NoTimeToDrain { drain, lame_duck });
        }
        let (head, idle) = (self.head_timeout, self.idle_timeout);
        if head > idle {
            return Err(LimitsError::HeadBeyondIdle { head, idle });
        }
        Ok(CheckedLimits {
            server: Limits {
                connections: size(self.max_connections),
                idle: Duration::from_secs(idle),
                wire: WireLimits { head: Duration::from_secs(head), write: WRITE },
                lame_duck: Duration::from_secs(lame_duck),
                drain: Duration::from_secs(drain),
            },
            body: BodyLimits::new(body, Duration::from_secs(self.body_timeout), in_flight),
            abuse: Abuse::new(AbuseLimits {
                burst: self.failure_burst,
                per_minute: self.failures_per_minute,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn check(line: &str) -> Result<CheckedLimits, LimitsError> {
        let line = std::iter::once("x").chain(line.split_whitespace());
        Line::try_parse_from(line).unwrap().limits.check()
    }

    #[test]
    fn contradictions_name_both_limits_and_both_values() {
        for (line, expected) in [
            (
                "--max-body-bytes 1048577 --max-in-flight-bytes 1040384",
                LimitsError::BodyBeyondBudget { body: 1_048_577, in_flight: 1_040_384 },
            ),
            ("--max-in-flight-bytes 1", LimitsError::BodyBeyondBudget { body: 262_144, in_flight: 1 }),
            ("--drain-timeout 5", LimitsError::NoTimeToDrain { drain: 5, lame_duck: 5 }),
            ("--lame-duck 20", LimitsError::NoTimeToDrain { drain: 20, lame_duck: 20 }),
            ("--lame-duck 0 --drain-timeout 0", LimitsError::NoTimeToDrain { drain: 0, lame_duck: 0 }),
            ("--head-timeout 31", LimitsError::HeadBeyondIdle { head: 31, idle: 30 }),
            ("--idle-timeout 4", LimitsError::HeadBeyondIdle { head: 5, idle: 4 }),
        ] {
            let error = check(line).unwrap_err();
            assert_eq!(error, expected, "{line}");
            let (text, mut words) = (error.to_string(), line.split_whitespace());
            while let (Some(flag), Some(value)) = (words.next(), words.next()) {
                assert!(text.contains(&format!("{flag} {value}")), "{flag} is not in {text}");
            }
            assert_eq!(text.matches("--").count(), 2, "{text}");
        }
    }

    #[test]
    fn what_goes_together_is_taken() {
        for line in [
            "",
            "--max-body-bytes 1048576 --max-in-flight-bytes 1040384",
            "--max-body-bytes 8192 --max-in-flight-bytes 1",
            "--lame-duck 0 --drain-timeout 1",
            "--head-timeout 5 --idle-timeout 5",
        ] {
            assert!(check(line).is_ok(), "{line}");
        }
        let limits = check("--max-connections 7 --head-timeout 2 --max-body-bytes 9000").unwrap();
        assert_eq!((limits.server.connections, limits.body.size), (7, 9000));
        assert_eq!(limits.server.wire.head, Duration::from_secs(2));
    }

    #[test]
    fn a_pod_with_1024_descriptors_has_room_for_the_default() {
        let connections = check("").unwrap().server.connections;
        assert!(u64::try_from(connections).unwrap() + crate::descriptors::RESERVE <= 1024);
    }
}
