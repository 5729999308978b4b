//! Details of one node or of up to 25.

use axum::{Extension, extract::State};
use http::StatusCode;
use serde_json::{Value, json};

use super::{existing, view};
use crate::{
    api::path::NodeList,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::NodeId,
    params::Query,
    store::{accounts::Workspace, nodes},
};

const MOST_IDS: usize = 25;

pub(super) async fn details(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodeList(ids): NodeList,
    Query(_): Query,
) -> Result<Reply, ApiError> {
    match ids.as_slice() {
        [id] => {
            let id = NodeId::parse(id).map_err(|_| ApiError::malformed_id("node"))?;
            let node = app.store.read(|rows| existing(rows, &workspace, &id))?;
            Ok(Reply::new().with("format", "single").with("node", view::node(&node)))
        }
        ids if ids.len() > MOST_IDS => Err(ApiError::invalid("node", "must be at most 25 ids", "opaque ids")),
        ids => bulk(&app, &workspace, ids),
    }
}

fn bulk(app: &App, workspace: &Workspace, ids: &[String]) -> Result<Reply, ApiError> {
    let (mut found, mut errors): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut error = |id: &str, code: u32, message: &str| {
        errors.push(json!({ "node_id": id, "code": code, "message": message }));
    };
    app.store.read(|rows| -> rusqlite::Result<()> {
        for id in ids {
            let Ok(parsed) = NodeId::parse(id) else {
                error(id, code::MALFORMED_ID, "not a well-formed opaque id");
                continue;
            };
            match nodes::find(rows, &workspace.id, &parsed)? {
                Some(node) => found.push(view::node(&node)),
                None => error(id, code::NODE_NOT_FOUND, "The storage node was not found"),
            }
        }
        Ok(())
    })?;
    let fields = [
        ("format", json!("multi")),
        ("node_count", json!(found.len())),
        ("error_count", json!(errors.len())),
        ("requested_count", json!(ids.len())),
    ];
    if found.is_empty() {
        let failed =
            ApiError::new(StatusCode::NOT_FOUND, code::NODE_NOT_FOUND, "None of the nodes was found");
        let failed = fields.into_iter().fold(failed, |failed, (key, value)| failed.extra(key, value));
        return Err(failed.extra("nodes", found).extra("errors", errors));
    }
    let reply = fields.into_iter().fold(Reply::new(), |reply, (key, value)| reply.with(key, value));
    Ok(reply.with("nodes", found).with("errors", errors))
}
