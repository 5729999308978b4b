//! The pulse of the pod's `steps` container: a file of the scratch space that it touches while it polls its queue.
//!
//! A file and not a question to Temporal, because a poller stays in Temporal's answer for minutes after it died, and
//! because looking costs no call. Both containers run on one node, so they have one clock.

use std::io;
use std::time::{Duration, SystemTime};

use cap_std::fs::OpenOptions;

use super::Scratch;

/// Name of the file: not one of a run's folder.
const PULSE: &str = "steps.pulse";

/// How often the file is touched.
pub const BEAT: Duration = Duration::from_secs(1);

/// After so long without a beat the container counts as down. Several beats, for a busy processor may make it miss some.
const SILENT: Duration = Duration::from_secs(5);

impl Scratch {
    /// Says that the `steps` container polls its queue.
    pub fn beat(&self) -> io::Result<()> {
        let file = self.0.open_with(PULSE, OpenOptions::new().write(true).create(true).truncate(false))?;
        file.into_std().set_modified(SystemTime::now())
    }

    /// Says that it does not poll any more.
    pub fn stop_beating(&self) -> io::Result<()> {
        match self.0.remove_file(PULSE) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether the `steps` container has polled its queue within the last seconds.
    ///
    /// A clock that was set makes it look down, or up, until the next beat.
    #[must_use]
    pub fn steps_alive(&self) -> bool {
        let Ok(file) = self.0.symlink_metadata(PULSE) else { return false };
        let Ok(touched) = file.modified() else { return false };
        let (touched, now) = (touched.into_std(), SystemTime::now());
        let apart = now.duration_since(touched).unwrap_or_else(|ahead| ahead.duration());
        apart <= SILENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_counts_for_some_seconds() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(dir.path()).unwrap();
        assert!(!scratch.steps_alive(), "never started");
        scratch.beat().unwrap();
        scratch.beat().unwrap();
        assert!(scratch.steps_alive());
        let touch = |at| {
            let file = std::fs::File::options().write(true).open(dir.path().join(PULSE)).unwrap();
            file.set_modified(at).unwrap();
        };
        touch(SystemTime::now() - Duration::from_secs(6));
        assert!(!scratch.steps_alive(), "six seconds ago");
        touch(SystemTime::now() + Duration::from_mins(1));
        assert!(!scratch.steps_alive(), "in the future");
        scratch.beat().unwrap();
        assert!(scratch.steps_alive());
        scratch.stop_beating().unwrap();
        scratch.stop_beating().unwrap();
        assert!(!scratch.steps_alive(), "stopped");
    }

    #[test]
    fn the_pulse_is_no_run() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(dir.path()).unwrap();
        scratch.beat().unwrap();
        assert!(scratch.runs().unwrap().is_empty());
    }
}
