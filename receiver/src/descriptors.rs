//! File descriptors: each connection has one, and a process may have only so many.
//!
//! Without a descriptor no connection can be accepted, and so none can be given the place of another: whoever opens enough of
//! them would shut everybody out, which is what [`crate::places`] is there against. So the limit on connections has to be the one
//! that is met first.

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything that is no delivery: the two ports, probes and scrapes, the connections to Temporal, the secrets,
/// the runtime, and connections that have lost their place and are not closed yet.
pub const RESERVE: u64 = 256;

/// The process may not have enough file descriptors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// More connections than the hard limit allows, which only somebody else can raise.
    #[error(
        "--max-connections {connections} needs {needed} file descriptors ({RESERVE} of them for everything else), and this \
         process may have {hard} (the hard limit of RLIMIT_NOFILE): {}raise the limit where the container runtime is started \
         (LimitNOFILE of its systemd unit)",
        fitting(*hard)
    )]
    TooFew {
        /// `--max-connections`.
        connections: usize,
        /// What they need with the reserve.
        needed: u64,
        /// The hard limit.
        hard: u64,
    },
    /// The soft limit is too low and cannot be raised to the hard one, for example because a seccomp profile forbids it.
    #[error(
        "--max-connections {connections} needs {needed} file descriptors, this process may have {soft}, and that cannot be \
         raised ({errno}): lower --max-connections or raise the soft limit of RLIMIT_NOFILE"
    )]
    CannotRaise {
        /// `--max-connections`.
        connections: usize,
        /// What they need with the reserve.
        needed: u64,
        /// The soft limit.
        soft: u64,
        /// Why not.
        errno: Errno,
    },
}

fn fitting(hard: u64) -> String {
    match hard.saturating_sub(RESERVE) {
        0 => String::new(),
        fitting => format!("lower --max-connections to {fitting}, or "),
    }
}

/// Sees to it that the process may have descriptors for so many connections. Raises the soft limit for that, to the hard one.
///
/// Refuses what does not fit, and does not go on with fewer connections: who asks for a number counts on it, and the
/// limits of nodes differ. A rollout whose new pods do not start leaves the old ones in place and says why, while a receiver that
/// is smaller than its configuration is found under load.
pub fn ensure(connections: usize) -> Result<(), DescriptorError> {
    let limits = getrlimit(Resource::Nofile);
    let Some(soft) = needed_soft_limit(connections, limits)? else { return Ok(()) };
    // Safe with more than 1024, where it is not for programs that use select(2): tokio uses epoll, and no other program is started.
    setrlimit(Resource::Nofile, Rlimit { current: soft.raised, ..limits }).map_err(|errno| {
        DescriptorError::CannotRaise { connections, needed: soft.needed, soft: soft.now, errno }
    })?;
    tracing::info!(from = soft.now, to = soft.raised, "soft limit of file descriptors raised");
    Ok(())
}

/// A soft limit that is too low. Without a number there is none.
#[derive(Debug, PartialEq, Eq)]
struct Raise {
    now: u64,
    raised: Option<u64>,
    needed: u64,
}

/// What has to become of the soft limit, if anything.
fn needed_soft_limit(connections: usize, limits: Rlimit) -> Result<Option<Raise>, DescriptorError> {
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(RESERVE);
    match limits {
        Rlimit { maximum: Some(hard), .. } if hard < needed => {
            Err(DescriptorError::TooFew { connections, needed, hard })
        }
        Rlimit { current: Some(now), maximum } if now < needed => {
            Ok(Some(Raise { now, raised: maximum, needed }))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_the_reserve_must_fit() {
        let raise = |now, raised| Ok(Some(Raise { now, raised, needed: 768 }));
        let too_few = |hard| Err(DescriptorError::TooFew { connections: 512, needed: 768, hard });
        for (current, maximum, expected) in [
            (Some(1024), Some(1024), Ok(None)),
            (Some(768), Some(768), Ok(None)),
            (None, None, Ok(None)),
            (Some(767), Some(1_048_576), raise(767, Some(1_048_576))),
            (Some(767), None, raise(767, None)),
            (Some(767), Some(767), too_few(767)),
            (Some(64), Some(256), too_few(256)),
        ] {
            assert_eq!(
                needed_soft_limit(512, Rlimit { current, maximum }),
                expected,
                "{current:?} {maximum:?}"
            );
        }
    }

    #[test]
    fn the_error_says_what_fits() {
        let error = |hard| DescriptorError::TooFew { connections: 4096, needed: 4352, hard }.to_string();
        let text = error(1024);
        for expected in ["--max-connections 4096", "4352", "RLIMIT_NOFILE", "to 768, or raise"] {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!error(256).contains("lower"), "{}", error(256));
    }
}
