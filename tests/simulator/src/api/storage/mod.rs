//! Files and folders of a workspace or share.

mod add;
mod change;
mod copy;
mod details;
mod list;
mod lock;
mod search;
mod trash;
mod versions;
mod view;

pub(super) use change::ensure_folder;
use rusqlite::Connection;
pub(crate) use view::mimetype;

use super::path::Place;
use crate::{
    envelope::{ApiError, Reply},
    ids::NodeId,
    routes::{Caller, Routes, Scope},
    store::{
        accounts::Workspace,
        events::{self, EventName},
        nodes::{self, Kind, Node},
        tree,
    },
};

/// The same calls below both, except those that only a workspace has.
pub(super) const PREFIXES: [(&str, Scope); 2] =
    [("/workspace/{workspace}/storage", Scope::Workspace), ("/share/{workspace}/storage", Scope::Share)];

pub(super) fn routes(routes: Routes) -> Routes {
    let [(workspace, scope), _] = PREFIXES;
    PREFIXES
        .into_iter()
        .fold(routes, |routes, (prefix, scope)| change(read(routes, prefix, scope), prefix, scope))
        .post(&format!("{workspace}/{{node}}/transfer/"), "storage.transfer", scope, copy::transfer)
        .post(&format!("{workspace}/{{node}}/addlink/"), "storage.addlink", scope, add::link)
}

fn read(routes: Routes, prefix: &str, scope: Scope) -> Routes {
    let at = |path: &str| format!("{prefix}{path}");
    routes
        .get(&at("/{node}/list/"), "storage.list", scope, list::list)
        .get(&at("/inventory/"), "storage.inventory", scope, list::inventory)
        .get(&at("/recent/"), "storage.recent", scope, list::recent)
        .get(&at("/search/"), "storage.search", scope, search::search)
        .get(&at("/{node}/details/"), "storage.details", scope, details::details)
        .get(&at("/{node}/versions/"), "storage.versions", scope, versions::list)
        .get(&at("/{node}/lock/"), "lock.status", scope, lock::status)
}

fn change(routes: Routes, prefix: &str, scope: Scope) -> Routes {
    let at = |path: &str| format!("{prefix}{path}");
    routes
        .post(&at("/{node}/createfolder/"), "storage.createfolder", scope, change::create_folder)
        .post(&at("/{node}/addfile/"), "storage.addfile", scope, add::file)
        .post(&at("/{node}/move/"), "storage.move", scope, change::move_node)
        .post(&at("/{node}/copy/"), "storage.copy", scope, copy::copy)
        .post(&at("/{node}/update/"), "storage.update", scope, change::update)
        .post(&at("/{node}/restore-version/"), "storage.restore_version", scope, versions::restore)
        .delete(&at("/{node}/delete/"), "storage.delete", scope, trash::delete)
        .post(&at("/{node}/restore/"), "storage.restore", scope, trash::restore)
        .delete(&at("/{node}/purge/"), "storage.purge", scope, trash::purge)
        .post(&at("/{node}/lock/"), "lock.acquire", scope, lock::acquire)
        .delete(&at("/{node}/lock/"), "lock.release", scope, lock::release)
        .post(&at("/{node}/lock/heartbeat/"), "lock.heartbeat", scope, lock::heartbeat)
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

/// A node that the caller may change: not in the trash, and not locked by somebody else.
fn changeable(
    rows: &Connection,
    workspace: &Workspace,
    caller: &Caller,
    id: &NodeId,
) -> Result<Node, ApiError> {
    let node = live(rows, workspace, id)?;
    if node.lock.as_ref().is_some_and(|lock| lock.owner != caller.user) {
        return Err(ApiError::conflict("node_locked", "The file is locked by somebody else"));
    }
    Ok(node)
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
pub(crate) fn check_name(name: &str) -> Result<(), ApiError> {
    let wrong = if name.chars().count() > 255 {
        "must have at most 255 characters"
    } else if name.contains(['/', '\\', '\0']) || matches!(name, "." | "..") {
        "must not be a path"
    } else {
        return Ok(());
    };
    Err(ApiError::invalid("name", wrong, "string"))
}

/// Makes room for a node that comes into a folder, and says which name it gets there. A file that has
/// the name goes to the trash; with anything else of that name, or for a folder, the newcomer gets
/// another name. (Newer documents say this, older ones that the file is replaced in place.)
fn make_room(
    rows: &Connection,
    workspace: &Workspace,
    caller: &Caller,
    parent: &str,
    newcomer: &Node,
) -> Result<String, ApiError> {
    let occupant = nodes::named(rows, &workspace.id, parent, &newcomer.name)?
        .filter(|other| other.id != newcomer.id && newcomer.kind == Kind::File && other.kind == Kind::File);
    if let Some(occupant) = occupant {
        changeable(rows, workspace, caller, &occupant.id)?;
        tree::trash(rows, &occupant.id)?;
        events::record_node(rows, workspace, &caller.user, EventName::FileDeleted, &occupant)?;
    }
    Ok(nodes::free_name(rows, &workspace.id, parent, &newcomer.name)?)
}

fn by_kind(node: &Node, file: EventName, folder: EventName) -> EventName {
    if node.kind == Kind::Folder { folder } else { file }
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
