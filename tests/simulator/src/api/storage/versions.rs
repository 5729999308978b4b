//! The versions of a file.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::Value;

use super::{changeable, existing, finish, view};
use crate::{
    api::path::NodePath,
    app::App,
    envelope::{ApiError, Reply},
    ids::{NodeId, VersionId},
    params::Form,
    routes::Caller,
    store::{
        accounts::Workspace,
        events::EventName,
        nodes::Node,
        versions::{self, Version},
    },
};

pub(super) async fn list(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(id): NodePath,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| {
        let current = content(existing(rows, &workspace, &id)?)?;
        let versions: Vec<Value> = versions::list(rows, &id)?
            .iter()
            .map(|version| view::version(version, version.id == current.id))
            .collect();
        Ok(Reply::new().with("versions", versions))
    })
}

/// Makes an old version the current one: as a new version with the same bytes, so that a version id never
/// comes back. (No source says how the service numbers it.)
pub(super) async fn restore(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let wanted = form.required("version_id")?;
    let wanted = VersionId::parse(wanted).map_err(|_| ApiError::malformed_id("version_id"))?;
    app.store.write(|rows| {
        content(changeable(rows, &workspace, &caller, &id)?)?;
        let old = find(rows, &id, &wanted)?;
        versions::add(rows, &id, &old.blob(), &caller.user, &old.upload)?;
        finish(rows, &workspace, &caller, &id, EventName::FileVersionRestored)
    })
}

fn content(node: Node) -> Result<Version, ApiError> {
    node.content.ok_or_else(|| ApiError::invalid("node", "must be a file", "file id"))
}

fn find(rows: &Connection, node: &NodeId, wanted: &VersionId) -> Result<Version, ApiError> {
    let found = versions::list(rows, node)?.into_iter().find(|version| version.id == *wanted);
    found.ok_or_else(|| ApiError::not_found("version"))
}
