//! How much of a host is taken.

use std::io;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};

use super::{Claim, ClaimError, RunFolder, Scratch};

/// The slots and bytes of a host, and the claims on them.
///
/// The claims on the disk are the only record: a container that was restarted knows what is taken, and nothing can
/// disagree with it.
#[derive(Debug)]
pub struct Room {
    scratch: Scratch,
    bytes: u64,
    slots: usize,
    /// Held while claims are counted and changed.
    changing: Mutex<()>,
    freed: Notify,
}

/// Why a host cannot be claimed.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// Not even if the host were empty.
    #[error("it needs {needed} bytes of scratch space, a worker has {available}")]
    TooBig {
        /// Bytes needed.
        needed: u64,
        /// Bytes that there are.
        available: u64,
    },
    /// Not now.
    #[error("all slots or all scratch space of this host are taken")]
    Full,
    /// The scratch space does not work.
    #[error("scratch space: {0}")]
    Io(#[from] io::Error),
}

/// Results, temporary files and partial downloads together need no more than the source once more …
const FACTOR: u64 = 2;
/// … and this much, for results that are larger than a small source.
const ALLOWANCE: u64 = 64 << 20;

impl Room {
    /// The room of a host: `slots` runs at a time, and `bytes` of scratch space for all of them together.
    ///
    /// Removes folders that no claim explains: what a crash left of a claim that was never made.
    pub fn open(scratch: Scratch, bytes: u64, slots: usize) -> io::Result<Self> {
        for folder in scratch.runs()? {
            if claim_of(&folder).is_none() {
                folder.remove()?;
            }
        }
        Ok(Self { scratch, bytes, slots: slots.max(1), changing: Mutex::new(()), freed: Notify::new() })
    }

    /// Scratch space that a run needs for a source file of `size` bytes.
    #[must_use]
    pub fn bytes_for(size: u64) -> u64 {
        size.saturating_mul(FACTOR).saturating_add(ALLOWANCE)
    }

    /// The scratch directory.
    #[must_use]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Takes a slot and the claim's bytes, or says why not. A run that holds a claim already keeps it.
    pub async fn claim(&self, claim: &Claim) -> Result<(), RoomError> {
        if claim.bytes > self.bytes {
            return Err(RoomError::TooBig { needed: claim.bytes, available: self.bytes });
        }
        let _changing = self.changing.lock().await;
        let mut others = self.claims()?;
        others.retain(|other| other.workflow_id != claim.workflow_id);
        let taken = others.iter().fold(claim.bytes, |sum, other| sum.saturating_add(other.bytes));
        if others.len() >= self.slots || taken > self.bytes {
            return Err(RoomError::Full);
        }
        Ok(self.scratch.run(&claim.workflow_id).put_claim(claim)?)
    }

    /// Gives up what an execution of a run holds. Nothing happens if a later execution of that run holds it.
    pub async fn release(&self, workflow_id: &str, run_id: &str) -> io::Result<()> {
        let _changing = self.changing.lock().await;
        let folder = self.scratch.run(workflow_id);
        if claim_of(&folder).is_none_or(|claim| claim.run_id == run_id) {
            folder.remove()?;
            self.freed.notify_waiters();
        }
        Ok(())
    }

    /// Removes folders without a claim: what was still written for a run when it was released. Gives their number.
    ///
    /// A claim that is there but cannot be read is left to the next start: a disk that fails for a moment must not cost a
    /// run its files.
    pub async fn remove_unclaimed(&self) -> io::Result<usize> {
        let _changing = self.changing.lock().await;
        let mut removed = 0;
        for folder in self.scratch.runs()? {
            if matches!(folder.claim(), Ok(None)) {
                folder.remove()?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Waits until something is released, at most for `longest`.
    pub async fn freed(&self, longest: Duration) {
        // That the time is over is as good a reason to look again as any.
        let _ = tokio::time::timeout(longest, self.freed.notified()).await;
    }

    /// All claims.
    pub fn claims(&self) -> io::Result<Vec<Claim>> {
        Ok(self.scratch.runs()?.iter().filter_map(claim_of).collect())
    }
}

/// A claim that cannot be read holds nothing: nobody could use it.
fn claim_of(folder: &RunFolder) -> Option<Claim> {
    match folder.claim() {
        Ok(claim) => claim,
        Err(ClaimError::Io(error)) => {
            tracing::warn!(%error, "a claim on the scratch space cannot be read");
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
