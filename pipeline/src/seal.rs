//! The message authentication code on a run's input.
//!
//! Whoever holds a Temporal client can start a workflow. The receiver holds one and faces the internet; so a worker
//! believes a request only if it carries a MAC by the plan key, which intake and workers share and the receiver does
//! not have. The MAC covers the whole request with its workflow id: an old request cannot be used again under a new id.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::run::RunRequest;

/// Separates this use of the key from every other one.
const DOMAIN: &[u8] = b"fastio run request v1\n";

/// The key that intake and workers of one webhook share.
#[derive(Clone)]
pub struct PlanKey(Hmac<Sha256>);

/// A plan key that is too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the plan key must have at least {} bytes, got {got}", PlanKey::MIN)]
pub struct ShortKey {
    got: usize,
}

/// A request that must not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The MAC is not one by our key: not from our intake, or changed on the way.
    #[error("the request is not authentic: its MAC was not made with this webhook's plan key")]
    NotAuthentic,
    /// Authentic, but sealed for another workflow id.
    #[error("the request belongs to workflow {sealed_for}, not to {found_in}")]
    OtherWorkflow {
        /// The id in the request.
        sealed_for: String,
        /// The id of the workflow that it was found in.
        found_in: String,
    },
    /// Authentic, but of a shape that this version does not know.
    #[error("the request cannot be read by this version: {0}")]
    Unreadable(String),
}

/// A [`RunRequest`] with its MAC: the input of the `FilePipeline` workflow.
///
/// The request is kept as text: a MAC is over bytes, and two versions of us may order fields differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedRun {
    request: String,
    mac: String,
}

impl PlanKey {
    /// Fewest bytes of a key: the length of the MAC (RFC 2104 section 3).
    pub const MIN: usize = 32;

    /// A key from raw bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, ShortKey> {
        let short = ShortKey { got: bytes.len() };
        if bytes.len() < Self::MIN {
            return Err(short);
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| short)
    }

    fn mac(&self, request: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(DOMAIN);
        mac.update(request.as_bytes());
        mac
    }

    /// Seals a request. Fails only if the request cannot be written as JSON.
    pub fn seal(&self, request: &RunRequest) -> Result<SealedRun, serde_json::Error> {
        let request = serde_json::to_string(request)?;
        let mac = hex::encode(self.mac(&request).finalize().into_bytes());
        Ok(SealedRun { request, mac })
    }

    /// Checks the MAC, and that the request was sealed for `workflow`.
    pub fn open(&self, sealed: &SealedRun, workflow: &str) -> Result<RunRequest, SealError> {
        let mac = hex::decode(&sealed.mac).map_err(|_| SealError::NotAuthentic)?;
        self.mac(&sealed.request).verify_slice(&mac).map_err(|_| SealError::NotAuthentic)?;
        let request = sealed.unverified()?;
        if request.workflow_id.as_str() == workflow {
            Ok(request)
        } else {
            Err(SealError::OtherWorkflow {
                sealed_for: request.workflow_id.to_string(),
                found_in: workflow.to_owned(),
            })
        }
    }
}

impl SealedRun {
    /// The request without a look at the MAC, for workflow code, which holds no key. Whatever is done with it must be
    /// authorised by an activity that called [`PlanKey::open`] on the same value.
    pub fn unverified(&self) -> Result<RunRequest, SealError> {
        serde_json::from_str(&self.request).map_err(|error| SealError::Unreadable(error.to_string()))
    }
}

impl std::fmt::Debug for PlanKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlanKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunRequest;

    const REQUEST: &str = r#"{"workflowId":"fastio:run:media/photos:2a:3a","webhook":"media/studio",
        "event":{"id":"evt-1","kind":"upload","workspace":"123","file":"2a"},
        "source":{"workspace":"123","id":"2a","version":"3a","name":"beach.jpg","folder":["photos"],"size":7},
        "plan":{"pipeline":"media/photos","generation":1,"match":{"events":["upload"]},"steps":[{"name":"thumb",
        "action":{"imageResize":{"width":320,"fit":"inside","format":"webp","quality":80}}}],"output":"/out"}}"#;

    fn request() -> RunRequest {
        serde_json::from_str(REQUEST).unwrap()
    }

    fn key(byte: u8) -> PlanKey {
        PlanKey::new(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let sealed = key(1).seal(&request()).unwrap();
        assert_eq!(key(1).open(&sealed, "fastio:run:media/photos:2a:3a").unwrap(), request());
    }

    #[test]
    fn other_keys_changes_and_ids_are_refused() {
        let sealed = key(1).seal(&request()).unwrap();
        let id = "fastio:run:media/photos:2a:3a";
        assert_eq!(key(2).open(&sealed, id), Err(SealError::NotAuthentic));
        let changed =
            SealedRun { request: sealed.request.replace("\"size\":7", "\"size\":8"), ..sealed.clone() };
        assert_eq!(key(1).open(&changed, id), Err(SealError::NotAuthentic));
        for mac in ["", "zz", &sealed.mac[2..]] {
            let changed = SealedRun { mac: mac.to_owned(), ..sealed.clone() };
            assert_eq!(key(1).open(&changed, id), Err(SealError::NotAuthentic), "{mac}");
        }
        assert!(matches!(key(1).open(&sealed, "another"), Err(SealError::OtherWorkflow { .. })));
    }

    #[test]
    fn keys_have_a_least_length() {
        assert!(PlanKey::new(&[0; 31]).unwrap_err().to_string().contains("at least 32 bytes, got 31"));
    }
}
