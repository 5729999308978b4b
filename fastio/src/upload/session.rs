//! What the service says about an upload session.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Reply;
use crate::envelope::fields;
use crate::{NodeId, Result};

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadStatus {
    /// Still taking chunks, assembling or storing.
    InProgress,
    /// The file is there.
    Stored(NodeId),
    /// Nothing was stored and nothing will be: open a new session.
    Failed {
        /// The service's status and words.
        message: String,
    },
}

pub(crate) fn read_chunks(reply: &Reply) -> Result<BTreeMap<u32, u64>> {
    let fields = reply.fields()?;
    chunks(fields.get("chunks")).ok_or_else(|| reply.broken("\"chunks\" is not a map of sizes by number"))
}

pub(crate) fn read_status(reply: &Reply) -> Result<UploadStatus> {
    let Wrapper { session } = reply.read(reply.fields()?)?;
    Ok(session.status())
}

#[derive(Deserialize)]
struct Wrapper {
    session: Session,
}

/// An upload session as replies carry it.
#[derive(Deserialize)]
struct Session {
    #[serde(deserialize_with = "fields::text")]
    status: String,
    #[serde(default, deserialize_with = "fields::opt_text")]
    status_message: Option<String>,
    #[serde(default, deserialize_with = "fields::opt_id")]
    new_file_id: Option<NodeId>,
    #[serde(default)]
    integrity_failure: Value,
}

impl Session {
    /// The guides contradict each other about which of `stored` and `complete` is the end, so the node's id decides.
    fn status(self) -> UploadStatus {
        match (self.status.as_str(), self.new_file_id) {
            ("stored" | "complete", Some(node)) => UploadStatus::Stored(node),
            (status, _) if status.ends_with("_failed") => {
                let crc = |name: &str| self.integrity_failure.get(name).and_then(Value::as_str);
                let integrity =
                    crc("expected_crc32c").zip(crc("computed_crc32c")).map(|(expected, computed)| {
                        format!("the CRC-32C should be {expected} and is {computed}")
                    });
                let words = [Some(status.to_owned()), self.status_message, integrity];
                UploadStatus::Failed { message: words.into_iter().flatten().collect::<Vec<_>>().join(": ") }
            }
            _ => UploadStatus::InProgress,
        }
    }
}

/// `{"1": 4194304, "2": "17"}`; no chunks may come as an empty list.
fn chunks(value: Option<&Value>) -> Option<BTreeMap<u32, u64>> {
    match value? {
        Value::Null => Some(BTreeMap::new()),
        Value::Array(list) if list.is_empty() => Some(BTreeMap::new()),
        Value::Object(map) => map
            .iter()
            .map(|(order, size)| {
                let size = size.as_u64().or_else(|| size.as_str()?.parse().ok())?;
                Some((order.parse().ok()?, size))
            })
            .collect(),
        _ => None,
    }
}
