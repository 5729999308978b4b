//! The versions of a file's content.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::node::{ContentHash, content_hash, crc32c};
use super::storage;
use crate::envelope::fields;
use crate::{Client, NodeId, Result, UserId, VersionId, WorkspaceId};

/// One version of a file's content. No source shows every field: what is not told is absent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Wire")]
#[non_exhaustive]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its hash.
    pub hash: Option<ContentHash>,
    /// Its CRC-32C (Castagnoli).
    pub crc32c: Option<u32>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Who made it.
    pub creator: Option<UserId>,
}

impl Client {
    /// The versions of a file, in the service's order: `GET /workspace/{ws}/storage/{node}/versions/`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # simulated.file("a.txt", "first").await?;
    /// # let node = &simulated.file("a.txt", "second").await?;
    /// // The same name in the same folder: the same node, and a new version of it.
    /// let versions = client.versions(ws, node).await?;
    /// let current = client.node(ws, node).await?.version.ok_or("a file has a version")?;
    /// let old = versions.iter().find(|version| version.id != current).ok_or("there was one before")?;
    /// assert_eq!((versions.len(), old.size), (2, Some(5)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn versions(&self, ws: &WorkspaceId, id: &NodeId) -> Result<Vec<Version>> {
        #[derive(Deserialize)]
        struct Reply {
            #[serde(default, deserialize_with = "fields::or_default")]
            versions: Vec<Version>,
        }
        let reply: Reply =
            self.get("storage.versions", &storage(ws, &[id.as_str(), "versions"])).send().await?;
        Ok(reply.versions)
    }
}

/// A version as replies carry it.
#[derive(Deserialize)]
struct Wire {
    #[serde(default, deserialize_with = "fields::opt_id")]
    id: Option<VersionId>,
    #[serde(default, deserialize_with = "fields::opt_id")]
    version_id: Option<VersionId>,
    #[serde(default, deserialize_with = "fields::opt_u64")]
    size: Option<u64>,
    #[serde(default, deserialize_with = "fields::opt_text")]
    hash: Option<String>,
    #[serde(default, deserialize_with = "fields::opt_text")]
    hash_algo: Option<String>,
    #[serde(default)]
    crc32c: Value,
    #[serde(default, deserialize_with = "fields::opt_time")]
    created: Option<Timestamp>,
    #[serde(default, deserialize_with = "fields::lenient_id")]
    creator: Option<UserId>,
}

impl TryFrom<Wire> for Version {
    type Error = &'static str;

    fn try_from(wire: Wire) -> std::result::Result<Self, Self::Error> {
        Ok(Self {
            id: wire.version_id.or(wire.id).ok_or("a version has no id")?,
            size: wire.size,
            hash: wire.hash.map(|hash| content_hash(&hash, wire.hash_algo.as_deref())),
            crc32c: crc32c(&wire.crc32c),
            created: wire.created,
            creator: wire.creator,
        })
    }
}
