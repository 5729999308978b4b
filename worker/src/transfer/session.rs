//! An upload that a later attempt can go on with.

use std::io::{self, Read};

use fastio::{ContentHash, HashAlgorithm, NodeId, UploadId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a file's content is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

impl Fingerprint {
    /// Reads a file to its end.
    pub(super) fn of(file: &mut impl Read) -> io::Result<Self> {
        let mut buffer = vec![0; 256 << 10];
        let (mut size, mut hash) = (0, Sha256::new());
        loop {
            let read = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            hash.update(bytes);
            size += bytes.len() as u64;
        }
        Ok(Self { size, sha256: hex::encode(hash.finalize()) })
    }

    /// Whether size and hash of a file in Fast.io are those of this content. A service that names no hash is believed by
    /// the size alone; what else has to be right then is the caller's part.
    pub(super) fn is_of(&self, size: Option<u64>, hash: Option<&ContentHash>) -> bool {
        size == Some(self.size)
            && hash.is_none_or(|hash| {
                hash.algorithm != HashAlgorithm::Sha256 || hash.value.eq_ignore_ascii_case(&self.sha256)
            })
    }
}

/// An upload session: the details of an upload's heartbeats.
///
/// The chunks that the service has are asked for on resume; the number here is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session.
    pub id: UploadId,
    /// The name that the file will have.
    pub name: String,
    /// What is being uploaded: another content needs another session.
    pub content: Fingerprint,
    /// The name was free when the session was opened: what is there now besides ours came at the same time.
    #[serde(default)]
    pub fresh: bool,
    /// Bytes of a chunk. The last one may be smaller.
    pub chunk: u64,
    /// Bytes that the service has.
    pub sent: u64,
    /// The service has all bytes and knows it: nothing is left but to wait for the file.
    #[serde(default)]
    pub complete: bool,
    /// The file, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
}
