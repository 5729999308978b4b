//! Uploads without a session, for the page: one body, stored as the API stores a finished upload.

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::json;

use super::{Refusal, seeds};
use crate::{
    api::check_name,
    app::App,
    ids::UploadId,
    store::{
        accounts,
        placing::{self, Arrival},
    },
};

#[derive(Deserialize)]
pub(super) struct Target {
    workspace: String,
    /// `root` or the id of a folder.
    #[serde(default = "root")]
    folder: String,
    name: String,
}

fn root() -> String {
    "root".to_owned()
}

/// Stores the body as a file, in place of one of the same name.
pub(super) async fn upload(
    State(app): State<App>,
    Query(target): Query<Target>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    if is_foreign(&headers) {
        let text = "uploads from pages of other sites are refused";
        return Err(Refusal(StatusCode::FORBIDDEN, text.to_owned()));
    }
    check_name(&target.name).map_err(|error| Refusal::bad(error.to_string()))?;
    let workspace = app
        .store
        .read(|rows| accounts::find_workspace(rows, &target.workspace))?
        .ok_or_else(|| Refusal::not_found("workspace"))?;
    let mut writer = app.store.blobs.create().await?;
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        writer.write(&piece.map_err(|error| Refusal::bad(error.to_string()))?).await?;
    }
    let blob = writer.finish().await?;
    let placed = app.store.write(|rows| -> rusqlite::Result<_> {
        let user = seeds::default_user(rows)?;
        let arrival = Arrival { blob: &blob, user: &user, upload: &UploadId::random() };
        let placed = placing::add(rows, &workspace, &target.folder, &target.name, arrival)?;
        if let Ok(file) = &placed {
            app.faults.scan(rows, &workspace, file)?;
        }
        Ok(placed)
    })?;
    match placed {
        Ok(node) => Ok((StatusCode::CREATED, Json(json!({ "file_id": node }))).into_response()),
        Err(obstacle) => {
            app.store.blobs.remove(&blob.name).await?;
            Err(Refusal(StatusCode::CONFLICT, obstacle.to_string()))
        }
    }
}

/// A browser says where a request comes from; anything else does not, and needs no such guard.
fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}
