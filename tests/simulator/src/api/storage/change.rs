//! Making folders, moving, renaming.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::json;

use super::{by_kind, changeable, check_name, finish, folder, make_room, reply};
use crate::{
    api::path::{NodePath, Place},
    app::App,
    envelope::{ApiError, Reply, code},
    ids::NodeId,
    params::{Form, Params},
    routes::Caller,
    store::{
        accounts::Workspace,
        events::EventName,
        nodes::{self, Kind, Node},
        tree,
    },
};

/// A folder of that name is returned as it is (the call is idempotent), unless `force` asks for a
/// new one, which then gets another name.
pub(super) async fn create_folder(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    place: Place,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let name = form.required("name")?;
    check_name(name)?;
    let force = form.flag("force")?;
    app.store.write(|rows| {
        let parent = folder(rows, &workspace, &place, "node")?;
        match nodes::named(rows, &workspace.id, &parent, name)? {
            Some(node) if node.kind == Kind::Folder && !force => return Ok(reply(&node)),
            _ => {}
        }
        let name = nodes::free_name(rows, &workspace.id, &parent, name)?;
        let id = tree::insert(rows, &workspace.id, &parent, &name, &caller.user, Kind::Folder)?;
        finish(rows, &workspace, &caller, &id, EventName::FolderCreated)
    })
}

pub(super) async fn move_node(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let target = Place::parse(form.required("parent")?, "parent")?;
    app.store.write(|rows| {
        let node = changeable(rows, &workspace, &caller, &id)?;
        let parent = folder(rows, &workspace, &target, "parent")?;
        check_outside(rows, &node, &parent)?;
        if parent == node.parent {
            return Ok(reply(&node));
        }
        let name = make_room(rows, &workspace, &caller, &parent, &node)?;
        tree::relocate(rows, &id, &parent, &name)?;
        finish(rows, &workspace, &caller, &id, by_kind(&node, EventName::FileMoved, EventName::FolderMoved))
    })
}

/// A folder goes neither into itself nor below itself.
pub(super) fn check_outside(rows: &Connection, node: &Node, parent: &str) -> Result<(), ApiError> {
    if node.kind == Kind::Folder && nodes::is_within(rows, parent, &node.id)? {
        return Err(ApiError::invalid("parent", "must not be the folder itself or below it", "folder id"));
    }
    Ok(())
}

/// Renames, or sets title and short description.
pub(super) async fn update(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    form.refuse(&["from"])?;
    let changed = ["name", "metadata_title", "metadata_short"];
    if changed.iter().all(|name| form.optional(name).is_none()) {
        return Err(ApiError::missing("name", "string"));
    }
    form.optional("name").map_or(Ok(()), check_name)?;
    app.store.write(|rows| {
        let node = changeable(rows, &workspace, &caller, &id)?;
        check_version(&node, form.optional("if_version_id"))?;
        rename(rows, &workspace, &node, &form)?;
        tree::describe(rows, &id, form.optional("metadata_title"), form.optional("metadata_short"))?;
        let event = by_kind(&node, EventName::FileUpdated, EventName::FolderUpdated);
        finish(rows, &workspace, &caller, &id, event)
    })
}

fn rename(rows: &Connection, workspace: &Workspace, node: &Node, form: &Params) -> Result<(), ApiError> {
    let Some(name) = form.optional("name").filter(|name| *name != node.name) else { return Ok(()) };
    if nodes::named(rows, &workspace.id, &node.parent, name)?.is_some() {
        return Err(ApiError::conflict("name_conflict", "Something in the folder has that name"));
    }
    tree::relocate(rows, &node.id, &node.parent, name)?;
    Ok(())
}

fn check_version(node: &Node, expected: Option<&str>) -> Result<(), ApiError> {
    let (Some(expected), Some(current)) = (expected, &node.content) else { return Ok(()) };
    if expected.replace('-', "") == current.id.as_str().replace('-', "") {
        return Ok(());
    }
    Err(ApiError::new(http::StatusCode::CONFLICT, code::CONFLICT, "The file has a newer version")
        .params(json!({ "reason": "conflict_version_mismatch", "current_version_id": current.id })))
}

/// The folder of that name, made when there is none.
pub(crate) fn ensure_folder(
    rows: &Connection,
    workspace: &Workspace,
    caller: &Caller,
    parent: &str,
    name: &str,
) -> Result<NodeId, ApiError> {
    check_name(name)?;
    if let Some(node) = nodes::named(rows, &workspace.id, parent, name)?
        && node.kind == Kind::Folder
    {
        return Ok(node.id);
    }
    let name = nodes::free_name(rows, &workspace.id, parent, name)?;
    let id = tree::insert(rows, &workspace.id, parent, &name, &caller.user, Kind::Folder)?;
    finish(rows, workspace, caller, &id, EventName::FolderCreated)?;
    Ok(id)
}
