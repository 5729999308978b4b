//! What is known about a file, folder, note or link.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::envelope::fields;
use crate::{NodeId, UploadId, UserId, VersionId};

/// A file, folder, note or link. Fields: captured replies of May 2026 and the agent guide v1.41.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct Node {
    /// Its id; stays the same when its content is replaced.
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// Its name in its folder.
    pub name: String,
    /// The folder that it is in.
    pub parent: Option<NodeId>,
    /// Where it is, from the top: `/raw/2026/a.jpg`. Only [`Client::inventory_page`](crate::Client::inventory_page) asks
    /// for it.
    pub path: Option<String>,
    /// The version of its content.
    pub version: Option<VersionId>,
    /// Size of its content in bytes.
    pub size: Option<u64>,
    /// Hash of its content.
    pub hash: Option<ContentHash>,
    /// CRC-32C (Castagnoli) of its content.
    pub crc32c: Option<u32>,
    /// Media type that the service found.
    pub mimetype: Option<String>,
    /// What the service's virus scan says.
    pub virus: Option<Virus>,
    /// Where its content came from.
    pub origin: Option<Origin>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was changed.
    pub modified: Option<Timestamp>,
    /// It was put into the trash. What is inside a folder that was put there may not say so.
    pub deleted: bool,
    /// The folder that it was in when it was put into the trash, as far as the service says.
    pub deleted_from: Option<NodeId>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A note (a text of at most 100 KB).
    Note,
    /// A link to a share.
    Link,
    /// A kind that this client does not know.
    Other,
}

/// The hash of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentHash {
    /// How it was computed.
    pub algorithm: HashAlgorithm,
    /// The hash in lower-case hexadecimal digits.
    pub value: String,
}

/// Hash algorithms of the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256, what captured replies carry.
    Sha256,
    /// SHA-384.
    Sha384,
    /// CRC-32C.
    Crc32c,
    /// An algorithm that this client does not know.
    Other(String),
}

/// What the service's virus scan says about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Virus {
    /// The verdict.
    pub status: VirusStatus,
    /// The service's words.
    pub reason: Option<String>,
}

/// The verdict of a virus scan. The service does not publish its words: the likely ones are mapped, every other is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VirusStatus {
    /// Nothing found.
    Clean,
    /// Do not touch this file.
    Infected,
    /// Not scanned yet.
    Pending,
    /// Another word.
    Other(String),
}

/// Where a content came from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// The user whose key or session made it.
    #[serde(default, deserialize_with = "fields::opt_id")]
    pub creator: Option<UserId>,
    /// The upload session that brought it.
    #[serde(default, deserialize_with = "fields::opt_id")]
    pub upload_session_id: Option<UploadId>,
}

impl Node {
    /// It is a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind == NodeKind::File
    }

    /// It is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.kind == NodeKind::Folder
    }

    /// The virus scan found something.
    #[must_use]
    pub fn is_infected(&self) -> bool {
        self.virus.as_ref().is_some_and(|virus| virus.status == VirusStatus::Infected)
    }
}

impl From<&str> for NodeKind {
    fn from(text: &str) -> Self {
        match text {
            "file" => Self::File,
            "folder" => Self::Folder,
            "note" => Self::Note,
            "link" => Self::Link,
            _ => Self::Other,
        }
    }
}

impl From<&str> for HashAlgorithm {
    fn from(text: &str) -> Self {
        match text.to_ascii_lowercase().replace('-', "").as_str() {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "crc32c" => Self::Crc32c,
            _ => Self::Other(text.to_owned()),
        }
    }
}

impl From<&str> for VirusStatus {
    fn from(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "clean" | "safe" | "ok" | "none" => Self::Clean,
            "infected" | "virus" | "malware" | "malicious" | "unsafe" => Self::Infected,
            "" | "pending" | "scanning" | "queued" | "unknown" | "unscanned" | "not scanned" => Self::Pending,
            _ => Self::Other(text.to_owned()),
        }
    }
}

/// A node as replies carry it.
#[derive(Deserialize)]
struct Wire {
    id: NodeId,
    #[serde(default, rename = "type", deserialize_with = "fields::opt_text")]
    kind: Option<String>,
    #[serde(deserialize_with = "fields::text")]
    name: String,
    #[serde(default, deserialize_with = "fields::opt_id")]
    parent: Option<NodeId>,
    #[serde(default)]
    path: Value,
    #[serde(default, deserialize_with = "fields::opt_id")]
    version: Option<VersionId>,
    #[serde(default, deserialize_with = "fields::opt_u64")]
    size: Option<u64>,
    #[serde(default, deserialize_with = "fields::opt_text")]
    hash: Option<String>,
    #[serde(default, deserialize_with = "fields::opt_text")]
    hash_algo: Option<String>,
    #[serde(default)]
    crc32c: Value,
    #[serde(default, deserialize_with = "fields::opt_text")]
    mimetype: Option<String>,
    #[serde(default)]
    virus: Value,
    #[serde(default)]
    origin: Value,
    #[serde(default, deserialize_with = "fields::opt_time")]
    created: Option<Timestamp>,
    #[serde(default, deserialize_with = "fields::opt_time")]
    modified: Option<Timestamp>,
    #[serde(default, deserialize_with = "fields::flag")]
    deleted: bool,
    // No source shows it filled in.
    #[serde(default, deserialize_with = "fields::lenient_id")]
    deleted_from: Option<NodeId>,
}

impl From<Wire> for Node {
    fn from(wire: Wire) -> Self {
        Self {
            id: wire.id,
            kind: wire.kind.as_deref().map_or(NodeKind::Other, NodeKind::from),
            name: wire.name,
            parent: wire.parent,
            path: path(&wire.path),
            version: wire.version,
            size: wire.size,
            hash: wire.hash.map(|hash| content_hash(&hash, wire.hash_algo.as_deref())),
            crc32c: crc32c(&wire.crc32c),
            mimetype: wire.mimetype,
            virus: virus(&wire.virus),
            origin: origin(wire.origin),
            created: wire.created,
            modified: wire.modified,
            deleted: wire.deleted,
            deleted_from: wire.deleted_from,
        }
    }
}

/// Without a name, the length tells the algorithm.
pub(super) fn content_hash(hash: &str, algorithm: Option<&str>) -> ContentHash {
    let algorithm = algorithm.map_or_else(
        || match hash.len() {
            32 => HashAlgorithm::Md5,
            40 => HashAlgorithm::Sha1,
            64 => HashAlgorithm::Sha256,
            96 => HashAlgorithm::Sha384,
            _ => HashAlgorithm::Other(String::new()),
        },
        HashAlgorithm::from,
    );
    ContentHash { algorithm, value: hash.to_ascii_lowercase() }
}

/// 8 hexadecimal digits.
pub(super) fn crc32c(value: &Value) -> Option<u32> {
    u32::from_str_radix(value.as_str()?, 16).ok()
}

/// An empty object may come as an empty list.
fn origin(value: Value) -> Option<Origin> {
    if value.is_object() { serde_json::from_value(value).ok() } else { None }
}

/// A text, or the names from the top down (as text or in objects). No source shows the form; ours begins with a slash.
fn path(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim_matches('/').to_owned(),
        Value::Array(names) => names
            .iter()
            .map(|step| step.as_str().or_else(|| step.get("name")?.as_str()))
            .collect::<Option<Vec<_>>>()?
            .join("/"),
        _ => return None,
    };
    (!text.is_empty()).then(|| format!("/{text}"))
}

/// `{status, reason}`, or the status alone.
fn virus(value: &Value) -> Option<Virus> {
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let status = VirusStatus::from(word("status").or_else(|| value.as_str())?);
    let reason = word("reason").filter(|reason| !reason.is_empty()).map(str::to_owned);
    Some(Virus { status, reason })
}

#[cfg(test)]
mod tests;
