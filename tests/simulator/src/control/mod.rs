//! The control API for tests, outside `/current`: seeds, endpoints, faults, and what has happened.
//!
//! It has no key and no envelope. Errors are `{"error": "…"}`.

mod faults;
mod log;
mod profiles;
mod seeds;
mod upload;
mod virus;
mod webhooks;

use axum::{
    Json, Router,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
pub(crate) use seeds::{DEFAULT_ORG, seed};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{app::App, routes::Route};

/// Routes of the control API. `api` are those below `/current`, by whose names faults go.
pub(crate) fn router(api: &[Route]) -> Router<App> {
    let mut names: Vec<&'static str> = api.iter().map(|route| route.operation.name).collect();
    names.sort_unstable();
    names.dedup();
    let operations: Vec<Value> = api.iter().map(operation).collect();
    Router::new()
        .route("/control/health", get(async || Json(json!({ "ok": true }))))
        .route("/control/operations", get(async move || Json(operations)))
        .route("/control/workspaces", post(seeds::create_workspace))
        .route("/control/shares", post(profiles::create_share))
        .route("/control/orgs", post(profiles::put_org))
        .route("/control/web-sources", put(profiles::put_web_source))
        .route("/control/api-keys", post(seeds::create_key))
        .route("/control/api-keys/{key}", delete(seeds::delete_key))
        .route("/control/upload", post(upload::upload))
        .route("/control/virus", post(virus::set))
        .route("/control/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/control/webhooks/{id}", post(webhooks::change).delete(webhooks::remove))
        .route("/control/deliveries", get(log::deliveries))
        .route("/control/calls", get(log::calls).delete(log::reset_calls))
        .route("/control/faults", faults::routes(names))
        .route("/control/faults/{id}", delete(faults::remove))
}

fn operation(Route { operation, path }: &Route) -> Value {
    json!({ "operation": operation.name, "method": operation.method, "path": path })
}

/// Why the control API refuses something.
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }

    fn not_found(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("state database: {error}"))
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("blob store: {error}"))
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
