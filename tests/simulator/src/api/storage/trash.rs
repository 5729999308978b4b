//! Into the trash, out of it, and gone for good.

use axum::{Extension, extract::State};
use rusqlite::Connection;

use super::{by_kind, changeable, existing, finish, make_room};
use crate::{
    api::path::{NodePath, Place},
    app::App,
    envelope::{ApiError, Reply},
    ids::NodeId,
    routes::Caller,
    store::{
        accounts::Workspace,
        events::EventName,
        nodes::{self, Node},
        tree,
    },
};

/// Moves to the trash. Called on the trash itself, it empties it.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    place: Place,
) -> Result<Reply, ApiError> {
    match place {
        Place::Root => Err(ApiError::invalid("node", "must not be the root", "node id")),
        Place::Trash => {
            let trashed = app.store.read(|rows| tree::in_trash(rows, &workspace.id))?;
            for id in &trashed {
                purge_one(&app, &workspace, id).await?;
            }
            Ok(Reply::new().with("count", trashed.len()))
        }
        Place::Node(id) => app.store.write(|rows| {
            let node = changeable(rows, &workspace, &caller, &id)?;
            tree::trash(rows, &id)?;
            let event = by_kind(&node, EventName::FileDeleted, EventName::FolderDeleted);
            finish(rows, &workspace, &caller, &id, event)
        }),
    }
}

/// Puts a node back to where it was, or into the root when that place is gone.
pub(super) async fn restore(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let node = in_trash(rows, &workspace, &id)?;
        let from = node.deleted_from.as_deref().unwrap_or("root");
        let parent = if nodes::is_live_folder(rows, &workspace.id, from)? { from } else { "root" };
        let name = make_room(rows, &workspace, &caller, parent, &node)?;
        tree::restore(rows, &id, parent, &name)?;
        let event = by_kind(&node, EventName::FileRestored, EventName::FolderRestored);
        finish(rows, &workspace, &caller, &id, event)
    })
}

/// Removes for good. No event is written: no list of names has one, and the change feed does not cover
/// purges.
pub(super) async fn purge(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(id): NodePath,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| in_trash(rows, &workspace, &id))?;
    purge_one(&app, &workspace, &id).await?;
    Ok(Reply::new())
}

async fn purge_one(app: &App, workspace: &Workspace, id: &NodeId) -> Result<(), ApiError> {
    for blob in app.store.write(|rows| tree::purge(rows, &workspace.id, id))? {
        app.store.blobs.remove(&blob).await?;
    }
    Ok(())
}

/// A node that lies directly in the trash. What lies in a trashed folder goes with its folder.
fn in_trash(rows: &Connection, workspace: &Workspace, id: &NodeId) -> Result<Node, ApiError> {
    let node = existing(rows, workspace, id)?;
    if node.parent == "trash" {
        return Ok(node);
    }
    Err(ApiError::conflict("not_in_trash", "The node is not an item of the trash"))
}
