//! Organisations, workspaces and keys: from the command line, and by the control API.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::Refusal;
use crate::{
    app::App,
    ids::{ProfileId, random_base32},
    store::accounts::{self, ProfileKind, Rights, Workspace},
};

/// The organisation of workspaces that name none.
pub(crate) const DEFAULT_ORG: &str = "Simulated Studio";
const DEFAULT_USER: &str = "Simulated User";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWorkspace {
    name: String,
    id: Option<String>,
    /// Name of an organisation, made when there is none.
    org: Option<String>,
}

pub(super) async fn create_workspace(
    State(app): State<App>,
    body: Result<Json<NewWorkspace>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(wanted) = body?;
    let id = wanted.id.as_deref().map(parse_profile).transpose()?;
    let org = wanted.org.as_deref().unwrap_or(DEFAULT_ORG);
    let (workspace, made) = put_workspace(&app, org, &wanted.name, id)?;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "workspace_id": workspace.id, "org_id": workspace.org }))).into_response())
}

fn parse_profile(id: &str) -> Result<ProfileId, Refusal> {
    ProfileId::parse(id).ok_or_else(|| Refusal::bad("`id` must be 19 decimal digits"))
}

/// The workspace with that id, made when there is none; without an id always a new one. Says
/// whether it was made.
fn put_workspace(
    app: &App,
    org: &str,
    name: &str,
    id: Option<ProfileId>,
) -> Result<(Workspace, bool), rusqlite::Error> {
    app.store.write(|rows| {
        let org = accounts::put_org(rows, org)?;
        if let Some(id) = &id
            && let Some(workspace) = accounts::find_workspace(rows, id.as_str())?
        {
            return Ok((workspace, false));
        }
        let id = id.unwrap_or_else(ProfileId::random);
        Ok((accounts::create_profile(rows, &id, &org.id, name, ProfileKind::Workspace)?, true))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    key: Option<String>,
    /// Name of a user, made when there is none.
    user: Option<String>,
    #[serde(default)]
    rights: Rights,
}

pub(super) async fn create_key(
    State(app): State<App>,
    body: Result<Json<NewKey>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(wanted) = body?;
    let key = wanted.key.unwrap_or_else(|| random_base32("", 40));
    let user = put_key(&app, &key, wanted.user.as_deref(), wanted.rights)?;
    Ok((StatusCode::CREATED, Json(json!({ "key": key, "user_id": user }))).into_response())
}

fn put_key(app: &App, key: &str, user: Option<&str>, rights: Rights) -> Result<ProfileId, rusqlite::Error> {
    app.store.write(|rows| {
        let user = accounts::user(rows, user.unwrap_or(DEFAULT_USER))?;
        accounts::put_key(rows, key, &user, rights)?;
        Ok(user)
    })
}

/// The user who does what nobody else does, such as uploads by the page.
pub(super) fn default_user(rows: &rusqlite::Connection) -> Result<ProfileId, rusqlite::Error> {
    accounts::user(rows, DEFAULT_USER)
}

pub(super) async fn delete_key(
    State(app): State<App>,
    Path(key): Path<String>,
) -> Result<StatusCode, Refusal> {
    if app.store.write(|rows| accounts::delete_key(rows, &key))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::not_found("key"))
    }
}

/// What the command line asks for. A second start finds the same things again.
pub(crate) fn seed(app: &App) -> Result<(), rusqlite::Error> {
    let settings = &app.settings;
    for key in &settings.api_keys {
        put_key(app, key, None, Rights::default())?;
    }
    for workspace in &settings.workspaces {
        let known = app.store.write(|rows| -> rusqlite::Result<_> {
            let org = accounts::put_org(rows, &settings.org)?;
            accounts::workspace_named(rows, &org.id, &workspace.name)
        })?;
        let workspace = match (known, &workspace.id) {
            (Some(known), None) => known,
            (_, id) => put_workspace(app, &settings.org, &workspace.name, id.clone())?.0,
        };
        tracing::info!(name = workspace.name, id = %workspace.id, org = %workspace.org, "workspace");
    }
    Ok(())
}
