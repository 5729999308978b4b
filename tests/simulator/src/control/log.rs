//! What has happened: deliveries and calls.

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{Of, Refusal};
use crate::{
    app::App,
    store::deliveries::{self, Delivery},
    time::Instant,
};

const LOG_MAX: usize = 10_000;

pub(super) async fn deliveries(State(app): State<App>, Query(of): Query<Of>) -> Result<Json<Value>, Refusal> {
    let found = app.store.read(|rows| deliveries::log(rows, of.workspace.as_deref(), LOG_MAX))?;
    Ok(Json(json!({ "deliveries": found.iter().map(view).collect::<Vec<_>>() })))
}

fn view(delivery: &Delivery) -> Value {
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
        "finished": delivery.finished.map(Instant::civil_micros),
        "spoilt": delivery.spoilt,
    })
}

pub(super) async fn calls(State(app): State<App>, Query(of): Query<Of>) -> Json<Value> {
    Json(json!({ "calls": app.calls.list(of.workspace.as_deref()) }))
}

pub(super) async fn reset_calls(State(app): State<App>, Query(of): Query<Of>) -> StatusCode {
    app.calls.reset(of.workspace.as_deref());
    StatusCode::NO_CONTENT
}
