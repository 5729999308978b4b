//! Making folders, moving, renaming, deleting.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::json;

use super::{check_name, existing, folder, live, view};
use crate::{
    api::path::{NodePath, Place},
    app::App,
    envelope::{ApiError, Reply, code},
    ids::NodeId,
    params::Form,
    routes::Caller,
    store::{
        accounts::Workspace,
        events::{self, EventName},
        nodes::{self, Kind, Node},
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
        let id = nodes::insert(rows, &workspace.id, &parent, &name, &caller.user, Kind::Folder)?;
        finish(rows, &workspace, &caller, &id, EventName::FolderCreated)
    })
}

/// A file that has the name at the new place goes to the trash first; with a folder of that name,
/// or for a folder, the moved node gets another name.
pub(super) async fn move_node(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let target = Place::parse(form.required("parent")?, "parent")?;
    app.store.write(|rows| {
        let node = live(rows, &workspace, &id)?;
        let parent = folder(rows, &workspace, &target, "parent")?;
        if node.kind == Kind::Folder && nodes::is_within(rows, &parent, &node.id)? {
            return Err(ApiError::invalid(
                "parent",
                "must not be the folder itself or below it",
                "folder id",
            ));
        }
        if parent == node.parent {
            return Ok(reply(&node));
        }
        let occupant = nodes::named(rows, &workspace.id, &parent, &node.name)?;
        if let Some(occupant) = occupant.filter(|other| node.kind == Kind::File && other.kind == Kind::File) {
            nodes::trash(rows, &occupant.id)?;
            events::record_node(rows, &workspace, &caller.user, EventName::FileDeleted, &occupant)?;
        }
        let name = nodes::free_name(rows, &workspace.id, &parent, &node.name)?;
        nodes::relocate(rows, &id, &parent, &name)?;
        finish(rows, &workspace, &caller, &id, by_kind(&node, EventName::FileMoved, EventName::FolderMoved))
    })
}

/// Renames, or sets title and short description.
pub(super) async fn update(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let name = form.optional("name");
    let (title, short) = (form.optional("metadata_title"), form.optional("metadata_short"));
    if name.is_none() && title.is_none() && short.is_none() {
        return Err(ApiError::missing("name", "string"));
    }
    name.map_or(Ok(()), check_name)?;
    app.store.write(|rows| {
        let node = live(rows, &workspace, &id)?;
        check_version(&node, form.optional("if_version_id"))?;
        if let Some(name) = name.filter(|name| *name != node.name) {
            if nodes::named(rows, &workspace.id, &node.parent, name)?.is_some() {
                return Err(ApiError::conflict("name_conflict", "Something in the folder has that name"));
            }
            nodes::relocate(rows, &id, &node.parent, name)?;
        }
        nodes::describe(rows, &id, title, short)?;
        finish(
            rows,
            &workspace,
            &caller,
            &id,
            by_kind(&node, EventName::FileUpdated, EventName::FolderUpdated),
        )
    })
}

fn check_version(node: &Node, expected: Option<&str>) -> Result<(), ApiError> {
    let (Some(expected), Some(current)) = (expected, &node.content) else { return Ok(()) };
    if expected.replace('-', "") == current.id.as_str().replace('-', "") {
        return Ok(());
    }
    Err(ApiError::new(http::StatusCode::CONFLICT, code::CONFLICT, "The file has a newer version")
        .params(json!({ "reason": "conflict_version_mismatch", "current_version_id": current.id })))
}

/// Moves to the trash.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let node = live(rows, &workspace, &id)?;
        nodes::trash(rows, &id)?;
        finish(
            rows,
            &workspace,
            &caller,
            &id,
            by_kind(&node, EventName::FileDeleted, EventName::FolderDeleted),
        )
    })
}

fn by_kind(node: &Node, file: EventName, folder: EventName) -> EventName {
    if node.kind == Kind::File { file } else { folder }
}

/// Writes the event of a change and answers with the node as it is now.
fn finish(
    rows: &Connection,
    workspace: &Workspace,
    caller: &Caller,
    id: &NodeId,
    event: EventName,
) -> Result<Reply, ApiError> {
    let node = existing(rows, workspace, id)?;
    events::record_node(rows, workspace, &caller.user, event, &node)?;
    Ok(reply(&node))
}

fn reply(node: &Node) -> Reply {
    Reply::new().with("node", view::node(node))
}
