//! Nodes and versions as JSON.

use serde_json::{Value, json};

use crate::store::{locks::Lock, nodes::Node, versions::Version};

/// A node with the fields of captured responses. Previews are never generated here, so their state
/// says so.
pub(super) fn node(node: &Node) -> Value {
    let mut view = json!({
        "id": node.id,
        "type": node.kind.as_str(),
        "name": node.name,
        "parent": node.parent,
        "created": node.created,
        "modified": node.modified,
        "deleted": node.deleted,
        "deleted_from": node.deleted_from,
        "actor": node.content.as_ref().map_or(&node.creator, |version| &version.creator),
        "summary": { "title": node.title, "short": node.short, "long": null },
        "locked": node.lock.is_some(),
        "lock_info": node.lock.as_ref().map(lock),
        "restricted": false,
        "dmca": false,
        "metadata": {},
        "file_attributes": {},
    });
    if let (Some(view), Some(version)) = (view.as_object_mut(), &node.content) {
        view.extend(content(&node.name, version));
    }
    if let (Some(view), Some(share)) = (view.as_object_mut(), &node.link) {
        view.insert("target_type".to_owned(), "share".into());
        view.insert("target_id".to_owned(), share.as_str().into());
    }
    view
}

/// Without its token, which only the holder knows.
pub(super) fn lock(lock: &Lock) -> Value {
    json!({
        "owner": lock.owner,
        "client_info": lock.client_info,
        "created": lock.created,
        "expires": lock.expires,
    })
}

fn content(name: &str, version: &Version) -> serde_json::Map<String, Value> {
    let mimetype = mimetype(name);
    let fields = json!({
        "version": version.id,
        "size": version.size,
        "hash": version.sha256,
        "hash_algo": "sha256",
        "crc32c": version.crc32c,
        "mimecategory": category(&mimetype),
        "mimetype": mimetype,
        "previews": { "thumbnail": { "state": "not generated" } },
        "virus": { "status": version.scan.status, "reason": version.scan.reason },
        "ai": { "state": "disabled", "attach": false, "summary": false },
        "origin": { "type": "chunked", "creator": version.creator, "upload_session_id": version.upload },
    });
    match fields {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}

/// An entry of `versions[]`.
pub(super) fn version(version: &Version, current: bool) -> Value {
    json!({
        "id": version.id,
        "current": current,
        "size": version.size,
        "hash": version.sha256,
        "hash_algo": "sha256",
        "crc32c": version.crc32c,
        "created": version.created,
        "creator": version.creator,
    })
}

/// An entry of the `files` map of a search by name: such a one has no score, no type and no place of the match.
pub(super) fn found(found: &Node, details: bool) -> Value {
    let mut view = json!({
        "name": found.name,
        "parent_id": found.parent,
        "type": found.kind.as_str(),
        "content_snippet": null,
        "match_source": "keyword",
    });
    if let (Some(view), true) = (view.as_object_mut(), details) {
        view.insert("node".to_owned(), node(found));
    }
    view
}

/// By the extension of the name.
pub(crate) fn mimetype(name: &str) -> String {
    mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned()
}

fn category(mimetype: &str) -> &'static str {
    match mimetype.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        Some("text") => "document",
        _ if mimetype == "application/pdf" => "document",
        _ => "unknown",
    }
}
