//! Exclusive locks on files. Others can read a locked file and cannot change it.

use std::time::Duration;

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{live, view};
use crate::{
    api::path::NodePath,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::{NodeId, random_base32},
    params::{Form, Params, Query},
    routes::Caller,
    store::{
        accounts::Workspace,
        locks::{self, Lock},
        nodes::{Kind, Node},
    },
    time::Instant,
};

/// Bounds of `duration`, in seconds.
const SECONDS: std::ops::RangeInclusive<i64> = 60..=3600;
/// No default is published.
const SECONDS_DEFAULT: i64 = 600;

pub(super) async fn acquire(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let seconds = form.number("duration", SECONDS)?.unwrap_or(SECONDS_DEFAULT);
    let client_info = client_info(&form)?;
    app.store.write(|rows| {
        let node = live(rows, &workspace, &id)?;
        if node.kind != Kind::File {
            return Err(ApiError::invalid("node", "must be a file", "file id"));
        }
        if let Some(lock) = &node.lock {
            return Err(ApiError::conflict("node_locked", "The file is locked already")
                .extra("lock_info", view::lock(lock)));
        }
        let now = Instant::now();
        let lock = Lock {
            token: random_base32("", 32),
            owner: caller.user.clone(),
            client_info,
            seconds,
            created: now,
            expires: after(now, seconds),
        };
        locks::put(rows, &id, &lock)?;
        Ok(reply(Some(&lock)).with("lock_token", lock.token))
    })
}

fn client_info(form: &Params) -> Result<Option<Value>, ApiError> {
    let Some(text) = form.optional("client_info") else { return Ok(None) };
    match serde_json::from_str(text) {
        Ok(Value::Object(info)) => Ok(Some(info.into())),
        _ => Err(ApiError::invalid("client_info", "must be a JSON object", "json")),
    }
}

fn after(instant: Instant, seconds: i64) -> Instant {
    instant.plus(Duration::from_secs(seconds.unsigned_abs()))
}

pub(super) async fn status(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(id): NodePath,
) -> Result<Reply, ApiError> {
    let node = app.store.read(|rows| live(rows, &workspace, &id))?;
    Ok(reply(node.lock.as_ref()))
}

/// Keeps the lock for as long as it was asked for, from now on.
pub(super) async fn heartbeat(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let mut lock = held(rows, &workspace, &id, &form)?;
        lock.expires = after(Instant::now(), lock.seconds);
        locks::put(rows, &id, &lock)?;
        Ok(reply(Some(&lock)))
    })
}

/// The token comes in a form, or in the query.
pub(super) async fn release(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(id): NodePath,
    Query(query): Query,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let params = form.or(query);
    app.store.write(|rows| {
        held(rows, &workspace, &id, &params)?;
        locks::delete(rows, &id)?;
        Ok(reply(None))
    })
}

/// The lock that the caller proves to hold.
fn held(rows: &Connection, workspace: &Workspace, id: &NodeId, params: &Params) -> Result<Lock, ApiError> {
    let token = params.required("lock_token")?;
    let Node { lock, .. } = live(rows, workspace, id)?;
    let lock = lock.ok_or_else(|| ApiError::not_found("lock"))?;
    if lock.token == token {
        return Ok(lock);
    }
    let text = "The lock token is not that of the lock";
    Err(ApiError::new(http::StatusCode::FORBIDDEN, code::ACCESS_DENIED, text))
}

fn reply(lock: Option<&Lock>) -> Reply {
    let info = lock.map(view::lock);
    Reply::new().with("locked", lock.is_some()).with("lock_info", json!(info))
}
