//! Setting, seeing and removing faults.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get},
};
use serde_json::{Value, json};

use super::{Of, Refusal};
use crate::{
    app::App,
    faults::{ANY, Fault},
};

type Sent = Result<Json<Fault>, JsonRejection>;

/// `known` are the operations that faults may name.
pub(super) fn routes(known: Vec<&'static str>) -> MethodRouter<App> {
    get(list).delete(reset).post(async move |State(app): State<App>, sent: Sent| add(&app, &known, sent))
}

fn add(app: &App, known: &[&str], sent: Sent) -> Result<Response, Refusal> {
    let Json(fault) = sent?;
    let operation = fault.when.operation.as_deref();
    if let Some(operation) = operation.filter(|name| *name != ANY && !known.contains(name)) {
        let known = known.join(", ");
        return Err(Refusal::bad(format!(
            "there is no operation {operation:?}; there are {known} and {ANY:?}"
        )));
    }
    let id = app.faults.add(fault);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))).into_response())
}

async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "faults": app.faults.list() }))
}

pub(super) async fn remove(State(app): State<App>, Path(id): Path<u64>) -> Result<StatusCode, Refusal> {
    if app.faults.remove(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::not_found("fault (any more)"))
    }
}

async fn reset(State(app): State<App>, Query(of): Query<Of>) -> StatusCode {
    app.faults.reset(of.workspace.as_deref());
    StatusCode::NO_CONTENT
}
