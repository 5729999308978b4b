//! Files and folders of a workspace.

mod change;
mod details;
mod list;
mod view;

use rusqlite::Connection;
pub(crate) use view::mimetype;

use super::path::Place;
use crate::{
    envelope::ApiError,
    ids::NodeId,
    routes::{Routes, Scope},
    store::{
        accounts::Workspace,
        nodes::{self, Kind, Node},
    },
};

const STORAGE: &str = "/workspace/{workspace}/storage";

pub(super) fn routes(routes: Routes) -> Routes {
    let at = |path: &str| format!("{STORAGE}{path}");
    routes
        .get(&at("/{node}/list/"), "storage.list", Scope::Workspace, list::list)
        .get(&at("/inventory/"), "storage.inventory", Scope::Workspace, list::inventory)
        .get(&at("/search/"), "storage.search", Scope::Workspace, list::search)
        .get(&at("/{node}/details/"), "storage.details", Scope::Workspace, details::details)
        .get(&at("/{node}/versions/"), "storage.versions", Scope::Workspace, details::versions)
        .post(&at("/{node}/createfolder/"), "storage.createfolder", Scope::Workspace, change::create_folder)
        .post(&at("/{node}/move/"), "storage.move", Scope::Workspace, change::move_node)
        .post(&at("/{node}/update/"), "storage.update", Scope::Workspace, change::update)
        .delete(&at("/{node}/delete/"), "storage.delete", Scope::Workspace, change::delete)
}

/// A node that is there, in the trash or not.
pub(super) fn existing(rows: &Connection, workspace: &Workspace, id: &NodeId) -> Result<Node, ApiError> {
    nodes::find(rows, &workspace.id, id)?.ok_or_else(ApiError::node_not_found)
}

/// A node that is not in the trash.
pub(super) fn live(rows: &Connection, workspace: &Workspace, id: &NodeId) -> Result<Node, ApiError> {
    let node = existing(rows, workspace, id)?;
    if node.trashed { Err(ApiError::node_not_found()) } else { Ok(node) }
}

/// The parent that new children of a place get: `root` or the id of a live folder.
pub(super) fn folder(
    rows: &Connection,
    workspace: &Workspace,
    place: &Place,
    param: &str,
) -> Result<String, ApiError> {
    match place {
        Place::Root => Ok("root".to_owned()),
        Place::Trash => Err(ApiError::invalid(param, "must not be the trash", "folder id")),
        Place::Node(id) => match live(rows, workspace, id)? {
            node if node.kind == Kind::Folder => Ok(node.id.to_string()),
            _ => Err(ApiError::invalid(param, "must be a folder", "folder id")),
        },
    }
}

/// Names have up to 255 characters and stay within their folder.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let wrong = if name.chars().count() > 255 {
        "must have at most 255 characters"
    } else if name.contains(['/', '\\', '\0']) || matches!(name, "." | "..") {
        "must not be a path"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid("name", wrong, "string"))
}
