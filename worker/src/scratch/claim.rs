//! A claim: a run's hold on a host.

use std::io;

use fastio_pipeline::run::RunRequest;
use fastio_pipeline::seal::{PlanKey, SealError, SealedRun};
use serde::{Deserialize, Serialize};

use super::RunFolder;

/// A run's hold on a host, as it lies in the run's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The run's workflow.
    pub workflow_id: String,
    /// Temporal's id of the execution that holds it: a run that was reset or started anew has another one.
    pub run_id: String,
    /// Bytes of scratch space that it may use.
    pub bytes: u64,
    /// What the run may do.
    pub sealed: SealedRun,
}

/// Why there is no usable claim.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// None on this host: released, swept, or the pod lost its scratch space.
    #[error("the run holds nothing on this host (any more)")]
    Missing,
    /// It does not carry our seal, or is of another run.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The scratch space cannot be read.
    #[error("the claim cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl RunFolder {
    /// The claim as it lies on the disk, where the `steps` container could have put anything.
    fn claim_as_found(&self) -> Result<Claim, ClaimError> {
        let bytes = self.read_claim()?.ok_or(ClaimError::Missing)?;
        serde_json::from_slice(&bytes).map_err(|error| ClaimError::Io(io::Error::other(error)))
    }

    /// What the run `workflow_id` may do, proven by the seal. For whoever holds the Fast.io key.
    pub fn authentic_request(&self, key: &PlanKey, workflow_id: &str) -> Result<RunRequest, ClaimError> {
        Ok(key.open(&self.claim_as_found()?.sealed, workflow_id)?)
    }

    /// What the run is said to do. For the `steps` container, which holds no key and no power.
    pub fn unverified_request(&self) -> Result<RunRequest, ClaimError> {
        Ok(self.claim_as_found()?.sealed.unverified()?)
    }

    pub(super) fn claim(&self) -> Result<Option<Claim>, ClaimError> {
        match self.claim_as_found() {
            Err(ClaimError::Missing) => Ok(None),
            found => found.map(Some),
        }
    }

    pub(super) fn put_claim(&self, claim: &Claim) -> io::Result<()> {
        self.write_claim(&serde_json::to_vec_pretty(claim)?)
    }
}
