//! What only the control API makes: shares, organisations of others, and sources of web uploads.

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::json;

use super::{Refusal, seeds};
use crate::{
    app::App,
    ids::ProfileId,
    store::{
        accounts::{self, ProfileKind},
        web_sources,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewShare {
    name: String,
    /// Name of an organisation, made when there is none.
    org: Option<String>,
}

/// A share with files of its own.
pub(super) async fn create_share(
    State(app): State<App>,
    body: Result<Json<NewShare>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(wanted) = body?;
    let share = app.store.write(|rows| -> rusqlite::Result<_> {
        let org = accounts::put_org(rows, wanted.org.as_deref().unwrap_or(seeds::DEFAULT_ORG))?;
        accounts::create_profile(rows, &ProfileId::random(), &org.id, &wanted.name, ProfileKind::Share)
    })?;
    Ok((StatusCode::CREATED, Json(json!({ "share_id": share.id, "org_id": share.org }))).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrg {
    name: String,
    /// Whether the users are no members of it.
    #[serde(default)]
    external: bool,
}

pub(super) async fn put_org(
    State(app): State<App>,
    body: Result<Json<NewOrg>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(wanted) = body?;
    let org = app.store.write(|rows| -> rusqlite::Result<_> {
        let org = accounts::put_org(rows, &wanted.name)?;
        accounts::set_external(rows, &org.id, wanted.external)?;
        Ok(org)
    })?;
    Ok((StatusCode::CREATED, Json(json!({ "org_id": org.id }))).into_response())
}

#[derive(Deserialize)]
pub(super) struct At {
    url: String,
}

/// What web uploads find at a URL: the body.
pub(super) async fn put_web_source(
    State(app): State<App>,
    Query(at): Query<At>,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let mut writer = app.store.blobs.create().await?;
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        writer.write(&piece.map_err(|error| Refusal::bad(error.to_string()))?).await?;
    }
    let blob = writer.finish().await?;
    if let Some(unused) = app.store.write(|rows| web_sources::put(rows, &at.url, &blob))? {
        app.store.blobs.remove(&unused).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
