//! Copying within a workspace and into another one.

use axum::{Extension, extract::State};

use super::{change::check_outside, existing, folder, live, make_room, reply};
use crate::{
    api::path::{NodePath, Place},
    app::App,
    envelope::{ApiError, Reply},
    params::Form,
    routes::Caller,
    store::{
        accounts::{self, Workspace},
        events::EventName,
        tree::{self, Target},
    },
};

pub(super) async fn copy(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let place = Place::parse(form.required("parent")?, "parent")?;
    app.store.write(|rows| {
        let node = live(rows, &workspace, &id)?;
        let parent = folder(rows, &workspace, &place, "parent")?;
        check_outside(rows, &node, &parent)?;
        let name = make_room(rows, &workspace, &caller, &parent, &node)?;
        let target = Target { workspace: &workspace, parent: &parent, user: &caller.user };
        let copied = tree::copy(rows, &workspace.id, &node, &name, target, EventName::FileCopied)?;
        Ok(reply(&existing(rows, &workspace, &copied)?))
    })
}

/// Copies into the root of another workspace; the node stays where it is. (No source says whether the
/// service keeps it.)
pub(super) async fn transfer(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let target = form.required("target_workspace_id")?;
    app.store.write(|rows| {
        let node = live(rows, &workspace, &id)?;
        let other =
            accounts::find_workspace(rows, target)?.ok_or_else(|| ApiError::not_found("workspace"))?;
        if other.id == workspace.id {
            return Err(ApiError::invalid(
                "target_workspace_id",
                "must be another workspace",
                "workspace id",
            ));
        }
        let name = make_room(rows, &other, &caller, "root", &node)?;
        let target = Target { workspace: &other, parent: "root", user: &caller.user };
        let copied = tree::copy(rows, &workspace.id, &node, &name, target, EventName::FileAdded)?;
        Ok(reply(&existing(rows, &other, &copied)?))
    })
}
