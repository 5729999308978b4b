//! Files and folders that are attached to a comment.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::{live, own, workspace};
use crate::{
    api::{path::CommentPath, storage},
    app::App,
    envelope::{ApiError, Reply},
    ids::{CommentId, NodeId},
    params::JsonObject,
    routes::{Caller, Routes, Scope},
    store::{accounts::Workspace, comments::Comment, nodes, reactions},
};

const TARGETS_MAX: usize = 25;

pub(super) fn routes(routes: Routes) -> Routes {
    let path = "/comments/{comment}/attachments/";
    routes
        .get(path, "comments.attachments", Scope::Comment, list)
        .post(path, "comments.attach", Scope::Comment, add)
        .post(&format!("{path}detach/"), "comments.detach", Scope::Comment, remove)
}

async fn list(State(app): State<App>, CommentPath(id): CommentPath) -> Result<Reply, ApiError> {
    app.store.read(|rows| reply(rows, &live(rows, &id)?))
}

/// All of them or none. What is attached already stays so.
async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let targets = targets(&body)?;
    if targets.is_empty() {
        return Err(ApiError::missing("target_id", "node id"));
    }
    app.store.write(|rows| {
        let comment = own(rows, &caller, &id)?;
        attach(rows, &workspace(rows, &comment)?, &id, &targets)?;
        reply(rows, &comment)
    })
}

async fn remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let targets = targets(&body)?;
    let target = targets.first().ok_or_else(|| ApiError::missing("target_id", "node id"))?;
    app.store.write(|rows| {
        let comment = own(rows, &caller, &id)?;
        let removed = reactions::detach(rows, &id, target)?;
        Ok(reply(rows, &comment)?.with("removed", removed))
    })
}

/// `target_id`, or up to 25 of them in `target_ids`.
pub(super) fn targets(body: &Map<String, Value>) -> Result<Vec<NodeId>, ApiError> {
    let given = match (body.get("target_id"), body.get("target_ids")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => return Ok(Vec::new()),
        (Some(id), None | Some(Value::Null)) => std::slice::from_ref(id),
        (None | Some(Value::Null), Some(Value::Array(ids))) if ids.len() <= TARGETS_MAX => ids.as_slice(),
        (None | Some(Value::Null), Some(_)) => {
            return Err(ApiError::invalid("target_ids", "must be a list of at most 25 ids", "array"));
        }
        _ => return Err(ApiError::invalid("target_id", "excludes target_ids", "node id")),
    };
    let parse = |id: &Value| id.as_str().and_then(|text| NodeId::parse(text).ok());
    given.iter().map(|id| parse(id).ok_or_else(|| ApiError::malformed_id("target_ids"))).collect()
}

pub(super) fn attach(
    rows: &Connection,
    workspace: &Workspace,
    comment: &CommentId,
    targets: &[NodeId],
) -> Result<(), ApiError> {
    for target in targets {
        storage::live(rows, workspace, target)?;
        reactions::attach(rows, comment, target)?;
    }
    let attached = reactions::attached(rows, comment)?.len();
    if attached > TARGETS_MAX {
        return Err(ApiError::invalid("target_ids", "must be at most 25 for a comment", "array"));
    }
    Ok(())
}

/// With the nodes as they are now; those that are purged are left out.
fn reply(rows: &Connection, comment: &Comment) -> Result<Reply, ApiError> {
    let mut attachments = Vec::new();
    for id in reactions::attached(rows, &comment.id)? {
        if let Some(node) = nodes::find(rows, &comment.workspace, &id)? {
            attachments.push(json!({
                "target_id": node.id, "type": node.kind.as_str(), "name": node.name, "deleted": node.deleted,
            }));
        }
    }
    Ok(Reply::new().with("attachments", attachments))
}
