//! A bound on memory: how much of the container's limit the files take that are worked on at the same time.
//!
//! The kernel ends a container that goes over its limit, with everything that it works on. So each piece of work says
//! what it needs at most, and waits until that much is left.

use std::fs;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A limit of the container: version 2 of control groups, then version 1 (Linux, `admin-guide/cgroup-v2.rst` and
/// `cgroup-v1/memory.rst`). A container sees its own group at these paths.
const LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// What the machine has (`proc_meminfo(5)`).
const MACHINE: &str = "/proc/meminfo";

/// What the process needs for itself: its code, its threads, its connection to Temporal.
const OWN: u64 = 96 << 20;

/// Memory is counted in these, for a semaphore counts in 32 bits.
const UNIT: u64 = 1 << 20;

/// Most units that are told apart: 1 TiB.
const MOST: u32 = 1 << 20;

/// Memory that work may take, shared by clones.
#[derive(Debug, Clone)]
pub struct Memory {
    left: Arc<Semaphore>,
    all: u32,
}

/// Memory that a piece of work has, given back when dropped.
#[derive(Debug)]
pub struct Taken {
    _units: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// What this container may use, or the machine where nothing limits the container, less what the process needs for
    /// itself.
    #[must_use]
    pub fn of_this_container() -> Self {
        let limits = LIMITS.map(|path| fs::read_to_string(path).ok().as_deref().and_then(limit));
        let machine = fs::read_to_string(MACHINE).ok().as_deref().and_then(total);
        let least = limits.into_iter().flatten().chain(machine).min();
        if least.is_none() {
            tracing::warn!("neither a memory limit nor the machine's memory can be read; one file at a time");
        }
        Self::new(least.unwrap_or_default().saturating_sub(OWN))
    }

    /// So many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let all = u32::try_from(bytes / UNIT).unwrap_or(MOST).clamp(1, MOST);
        Self { left: Arc::new(Semaphore::new(usize::try_from(all).unwrap_or(usize::MAX))), all }
    }

    /// All of it, in mebibytes.
    #[must_use]
    pub fn mebibytes(&self) -> u32 {
        self.all
    }

    /// Waits until so many bytes are left, in the order of asking. Whoever needs more than there is waits for all of it:
    /// one piece of work is always allowed.
    pub async fn take(&self, bytes: u64) -> Taken {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.all);
        // The semaphore is never closed; without a permit the work would only be unbounded.
        Taken { _units: Arc::clone(&self.left).acquire_many_owned(units).await.ok() }
    }
}

/// A limit in bytes; `None` for no limit (`max`, in version 2).
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// `MemTotal: 16384000 kB`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MIB: u64 = 1 << 20;

    async fn is_left(memory: &Memory, bytes: u64) -> bool {
        tokio::time::timeout(Duration::from_millis(20), memory.take(bytes)).await.is_ok()
    }

    #[tokio::test]
    async fn no_more_is_taken_than_there_is() {
        let memory = Memory::new(100 * MIB);
        let first = memory.take(60 * MIB).await;
        assert!(!is_left(&memory, 41 * MIB).await);
        let second = memory.take(40 * MIB).await;
        assert!(!is_left(&memory, 1).await, "no work needs nothing");
        drop(first);
        assert!(is_left(&memory, 60 * MIB).await);
        drop(second);
        assert!(is_left(&memory, 100 * MIB).await);
    }

    #[tokio::test]
    async fn one_piece_of_work_is_always_allowed_but_alone() {
        for memory in [Memory::new(100 * MIB), Memory::new(0)] {
            let _all = memory.take(u64::MAX).await;
            assert!(!is_left(&memory, 1).await);
        }
    }

    #[tokio::test]
    async fn a_large_one_is_not_overtaken_for_ever() {
        let memory = Memory::new(100 * MIB);
        let first = memory.take(60 * MIB).await;
        let mut large = std::pin::pin!(memory.take(80 * MIB));
        assert!(futures::poll!(large.as_mut()).is_pending());
        assert!(!is_left(&memory, MIB).await, "the large one was first");
        drop(first);
        large.await;
    }

    #[test]
    fn limits_are_read_in_the_forms_of_the_kernel() {
        assert_eq!(limit("1073741824\n"), Some(1 << 30));
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), Some(9_223_372_036_854_771_712), "no limit, in version 1");
        let meminfo = "MemTotal:       16384000 kB\nMemFree:         1024000 kB\n";
        assert_eq!(total(meminfo), Some(16_384_000 * 1024));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn this_machine_has_some() {
        assert!(Memory::of_this_container().mebibytes() > 1);
    }
}
