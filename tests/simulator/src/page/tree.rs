//! The folders and files of a workspace. Every folder takes files that are dropped on it.

use rusqlite::Result;

use super::{
    Shown,
    html::{Html, Notes},
};
use crate::store::{
    listing::{self, Order, SortBy},
    nodes::{Kind, Node},
};

/// Nodes of the whole tree that are shown.
const NODES: usize = 600;
/// Nodes of one folder that are shown.
const IN_FOLDER: usize = 120;

pub(super) fn write(shown: &Shown<'_>, html: &mut Html) -> Result<()> {
    html.raw("<section id=tree><h3>Files</h3>");
    let mut left = NODES;
    folder(shown, "root", "/", &mut left, html)?;
    html.raw("</section>");
    Ok(())
}

fn folder(shown: &Shown<'_>, id: &str, name: &str, left: &mut usize, html: &mut Html) -> Result<()> {
    let folders = children(shown, id, SortBy::Type, Kind::Folder, left)?.0;
    let (files, more) = children(shown, id, SortBy::Name, Kind::File, left)?;
    html.raw("<details class=folder open id=\"folder-").text(id).raw("\" data-folder=\"").text(id);
    html.raw("\"><summary><span class=name>").text(name).raw("</span> <small>");
    match files.len() {
        0 if folders.is_empty() => html.raw("empty"),
        0 => html.raw(""),
        1 => html.raw("1 file"),
        several => html.number(several).raw(if more { " files and more" } else { " files" }),
    };
    html.raw("</small><label class=add>Add files<input type=file multiple></label></summary>");
    for comment in shown.comments_on(id) {
        html.raw("<q>").text(&comment.body).raw("</q>");
    }
    for below in &folders {
        folder(shown, below.id.as_str(), &below.name, left, html)?;
    }
    html.raw("<div class=files>");
    for file in &files {
        html.file(shown, "file-", file, &Notes::default());
    }
    html.raw("</div>");
    if more {
        html.raw("<p class=more>and more, which this page does not show</p>");
    }
    html.raw("</details>");
    Ok(())
}

/// Children of a kind, by name, and whether there are more of them. Folders come first when the
/// listing is sorted by type, downwards.
fn children(
    shown: &Shown<'_>,
    id: &str,
    by: SortBy,
    kind: Kind,
    left: &mut usize,
) -> Result<(Vec<Node>, bool)> {
    let order = Order { by, descending: by == SortBy::Type };
    let room = IN_FOLDER.min(*left);
    let found = listing::children(shown.rows, &shown.workspace.id, id, order, None, room + 1)?;
    let more = found.len() > room;
    let mut nodes: Vec<Node> =
        found.into_iter().take(room).map(|(node, _)| node).filter(|node| node.kind == kind).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    *left -= nodes.len();
    Ok((nodes, more))
}
