//! The control API for tests, outside `/current`: seeds, faults, and what has happened.
//!
//! It has no key and no envelope. Errors are `{"error": "…"}`.

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    faults::{ANY, Fault},
    ids::{ProfileId, random_base32},
    routes::Operation,
    store::{
        accounts::{self, Workspace},
        deliveries::{self, Delivery},
        webhooks::{self, Webhook},
    },
};

/// The organisation of workspaces that name none.
pub(crate) const DEFAULT_ORG: &str = "Simulated Studio";
const DEFAULT_USER: &str = "Simulated User";
const LOG_MAX: usize = 10_000;

/// Routes of the control API. `operations` are the names that faults may use.
pub(crate) fn router(operations: &[Operation]) -> Router<App> {
    let mut names: Vec<&'static str> = operations.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names.dedup();
    let known = names.clone();
    Router::new()
        .route("/control/health", get(async || Json(json!({ "ok": true }))))
        .route("/control/operations", get(async move || Json(names)))
        .route("/control/workspaces", post(create_workspace))
        .route("/control/api-keys", post(create_key))
        .route("/control/api-keys/{key}", delete(delete_key))
        .route("/control/webhooks", get(list_webhooks))
        .route("/control/deliveries", get(list_deliveries))
        .route("/control/calls", get(list_calls).delete(reset_calls))
        .route("/control/faults", get(list_faults).delete(reset_faults))
        .route(
            "/control/faults",
            post(async move |State(app): State<App>, fault: Result<Json<Fault>, JsonRejection>| {
                add_fault(&app, &known, fault)
            }),
        )
        .route("/control/faults/{id}", delete(remove_fault))
}

/// Why the control API refuses something.
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("state database: {error}"))
    }
}

impl From<JsonRejection> for Refusal {
    fn from(error: JsonRejection) -> Self {
        Self::bad(error.body_text())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// `?workspace=ID`
#[derive(Deserialize)]
struct Of {
    workspace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWorkspace {
    name: String,
    id: Option<String>,
    /// Name of an organisation, made when there is none.
    org: Option<String>,
}

async fn create_workspace(
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
        Ok((accounts::create_workspace(rows, &id, &org.id, name)?, true))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    key: Option<String>,
    /// Name of a user, made when there is none.
    user: Option<String>,
}

async fn create_key(
    State(app): State<App>,
    body: Result<Json<NewKey>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(wanted) = body?;
    let key = wanted.key.unwrap_or_else(|| random_base32("", 40));
    let user = put_key(&app, &key, wanted.user.as_deref())?;
    Ok((StatusCode::CREATED, Json(json!({ "key": key, "user_id": user }))).into_response())
}

fn put_key(app: &App, key: &str, user: Option<&str>) -> Result<ProfileId, rusqlite::Error> {
    app.store.write(|rows| {
        let user = accounts::user(rows, user.unwrap_or(DEFAULT_USER))?;
        accounts::put_key(rows, key, &user)?;
        Ok(user)
    })
}

async fn delete_key(State(app): State<App>, Path(key): Path<String>) -> Result<StatusCode, Refusal> {
    if app.store.write(|rows| accounts::delete_key(rows, &key))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal(StatusCode::NOT_FOUND, "there is no such key".to_owned()))
    }
}

async fn list_webhooks(State(app): State<App>, Query(of): Query<Of>) -> Result<Json<Value>, Refusal> {
    let found = app.store.read(|rows| webhooks::list(rows, of.workspace.as_deref()))?;
    Ok(Json(json!({ "webhooks": found.iter().map(webhook_view).collect::<Vec<_>>() })))
}

/// With the secret, which the API itself never shows: a test signs with it.
fn webhook_view(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "workspace_id": webhook.workspace,
        "url": webhook.url,
        "events": webhook.events.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "secret": webhook.secret,
        "enabled": webhook.enabled,
        "created": webhook.created,
    })
}

async fn list_deliveries(State(app): State<App>, Query(of): Query<Of>) -> Result<Json<Value>, Refusal> {
    let found = app.store.read(|rows| deliveries::log(rows, of.workspace.as_deref(), LOG_MAX))?;
    Ok(Json(json!({ "deliveries": found.iter().map(delivery_view).collect::<Vec<_>>() })))
}

fn delivery_view(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "webhook_id": delivery.webhook,
        "workspace_id": delivery.workspace,
        "event_id": delivery.event,
        "event_type": delivery.event_type,
        "body": String::from_utf8_lossy(&delivery.body),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created": delivery.created.civil_micros(),
        "next_attempt": delivery.finished.is_none().then(|| delivery.next_attempt.civil_micros()),
        "finished": delivery.finished.map(crate::time::Instant::civil_micros),
    })
}

async fn list_calls(State(app): State<App>, Query(of): Query<Of>) -> Json<Value> {
    Json(json!({ "calls": app.calls.list(of.workspace.as_deref()) }))
}

async fn reset_calls(State(app): State<App>, Query(of): Query<Of>) -> StatusCode {
    app.calls.reset(of.workspace.as_deref());
    StatusCode::NO_CONTENT
}

fn add_fault(
    app: &App,
    known: &[&str],
    fault: Result<Json<Fault>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(fault) = fault?;
    if let Some(operation) = fault.operation().filter(|name| *name != ANY && !known.contains(name)) {
        let known = known.join(", ");
        return Err(Refusal::bad(format!(
            "there is no operation {operation:?}; there are {known} and {ANY:?}"
        )));
    }
    if let Fault::Fail { status, .. } = &fault
        && !(400..=599).contains(status)
    {
        return Err(Refusal::bad("`status` must be from 400 to 599"));
    }
    let id = app.faults.add(fault);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))).into_response())
}

async fn list_faults(State(app): State<App>) -> Json<Value> {
    Json(json!({ "faults": app.faults.list() }))
}

async fn remove_fault(State(app): State<App>, Path(id): Path<u64>) -> Result<StatusCode, Refusal> {
    if app.faults.remove(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal(StatusCode::NOT_FOUND, "there is no such fault (any more)".to_owned()))
    }
}

async fn reset_faults(State(app): State<App>, Query(of): Query<Of>) -> StatusCode {
    app.faults.reset(of.workspace.as_deref());
    StatusCode::NO_CONTENT
}

/// What the command line asks for. A second start finds the same things again.
pub(crate) fn seed(app: &App) -> Result<(), rusqlite::Error> {
    let settings = &app.settings;
    for key in &settings.api_keys {
        put_key(app, key, None)?;
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
