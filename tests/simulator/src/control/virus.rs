//! What the virus scan says about a file that is there.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;
use crate::{
    app::App,
    ids::NodeId,
    store::{
        accounts, nodes,
        scans::{self, Scan},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    /// A workspace or a share.
    workspace: String,
    file: String,
    #[serde(default = "infected")]
    status: String,
    reason: Option<String>,
}

fn infected() -> String {
    crate::faults::INFECTED.to_owned()
}

/// Sets the result of the scan of the current version, without an event: no list of names has one.
pub(super) async fn set(
    State(app): State<App>,
    finding: Result<Json<Finding>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let Json(Finding { workspace, file, status, reason }) = finding?;
    if status.is_empty() {
        return Err(Refusal::bad("`status` is empty"));
    }
    let file = NodeId::parse(&file).map_err(|_| Refusal::bad("`file` is not the id of a file"))?;
    let scan = Scan { status, reason };
    app.store.write(|rows| {
        let workspace =
            accounts::find_profile(rows, &workspace)?.ok_or_else(|| Refusal::not_found("workspace"))?;
        let content = nodes::find(rows, &workspace.id, &file)?.and_then(|node| node.content);
        let content = content.ok_or_else(|| Refusal::not_found("file"))?;
        Ok::<_, Refusal>(scans::put(rows, &content.blob, &scan)?)
    })?;
    Ok(Json(json!({ "virus": { "status": scan.status, "reason": scan.reason } })))
}
