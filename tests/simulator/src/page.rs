//! A page for people: workspaces, their files with pictures, comments and deliveries. Rendered on
//! the server, without scripts; it loads itself anew every few seconds.

use std::fmt::{Arguments, Write as _};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rusqlite::Connection;
use tokio_util::io::ReaderStream;

use crate::{
    api::mimetype,
    app::App,
    ids::NodeId,
    store::{
        accounts::{self, Workspace},
        comments::{self, Comment, Listing},
        deliveries,
        listing::{self, Order, SortBy},
        nodes::{self, Kind, Node},
    },
};

const NODES_MAX: usize = 500;
const DELIVERIES_MAX: usize = 30;
const COMMENTS_MAX: i64 = 500;
/// Types that are shown as pictures. SVG is not: it can carry scripts.
const PICTURES: [&str; 5] = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"];

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=3>\
<title>Simulated Fast.io</title><style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}\
ul{list-style:none;padding-left:1.2rem}li{margin:.3rem 0}small{color:#666}\
img{max-height:6rem;max-width:9rem;vertical-align:middle;margin-right:.6rem;border-radius:4px}\
q{background:#f2f2ec;padding:.1rem .4rem;border-radius:4px}td{padding:0 .8rem 0 0}</style>\
<h1>Simulated Fast.io</h1>";

pub(crate) fn router() -> Router<App> {
    Router::new().route("/", get(index)).route("/files/{workspace}/{node}", get(file))
}

/// The page or the picture cannot be shown.
struct Failure(StatusCode, String);

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

async fn index(State(app): State<App>) -> Result<Html<String>, Failure> {
    let page = app.store.read(|rows| -> rusqlite::Result<String> {
        let mut page = HEAD.to_owned();
        for workspace in accounts::workspaces(rows, None)? {
            page.push_str(&section(rows, &workspace)?);
        }
        Ok(page)
    })?;
    Ok(Html(page))
}

fn section(rows: &Connection, workspace: &Workspace) -> rusqlite::Result<String> {
    let (comments, _) = comments::list(
        rows,
        &Listing {
            workspace: &workspace.id,
            node: None,
            include_deleted: false,
            newest_first: false,
            limit: COMMENTS_MAX,
            offset: 0,
        },
    )?;
    let mut tree = Tree { rows, workspace, comments: &comments, left: NODES_MAX, html: String::new() };
    tree.folder("root")?;
    let mut html = format!("<h2>{} <small>{}</small></h2>", escape(&workspace.name), workspace.id);
    html.push_str(&tree.html);
    let log = deliveries::log(rows, Some(workspace.id.as_str()), DELIVERIES_MAX)?;
    if !log.is_empty() {
        html.push_str("<details><summary>Webhook deliveries</summary><table>");
        for delivery in log {
            let status = delivery.last_status.map_or_else(String::new, |status| status.to_string());
            append(
                &mut html,
                format_args!(
                    "<tr><td>{}<td>{}<td>{}<td>{} attempts<td>{status} {}",
                    delivery.created.civil(),
                    delivery.event_type,
                    delivery.state,
                    delivery.attempts,
                    escape(delivery.last_error.as_deref().unwrap_or_default()),
                ),
            );
        }
        html.push_str("</table></details>");
    }
    Ok(html)
}

/// The folders and files of a workspace while they are written down.
struct Tree<'a> {
    rows: &'a Connection,
    workspace: &'a Workspace,
    comments: &'a [Comment],
    left: usize,
    html: String,
}

impl Tree<'_> {
    fn folder(&mut self, parent: &str) -> rusqlite::Result<()> {
        let order = Order { by: SortBy::Name, descending: false };
        let found = listing::children(self.rows, &self.workspace.id, parent, order, None, self.left)?;
        self.left = self.left.saturating_sub(found.len());
        self.html.push_str("<ul>");
        for (node, _) in found {
            self.html.push_str("<li>");
            match node.kind {
                Kind::Folder => {
                    append(&mut self.html, format_args!("<b>{}/</b>", escape(&node.name)));
                    self.comments(&node);
                    self.folder(node.id.as_str())?;
                }
                Kind::File => {
                    self.file(&node);
                    self.comments(&node);
                }
            }
        }
        self.html.push_str("</ul>");
        Ok(())
    }

    fn file(&mut self, node: &Node) {
        let size = node.content.as_ref().map_or(0, |version| version.size);
        let link = format!("/files/{}/{}", self.workspace.id, node.id);
        if PICTURES.contains(&mimetype(&node.name).as_str()) {
            append(&mut self.html, format_args!("<img src=\"{link}\" alt=\"\" loading=lazy>"));
        }
        let name = escape(&node.name);
        append(
            &mut self.html,
            format_args!(
                "<a href=\"{link}\">{name}</a> <small>{size} bytes, {}</small>",
                node.modified.civil()
            ),
        );
    }

    fn comments(&mut self, node: &Node) {
        for comment in self.comments.iter().filter(|comment| comment.node == node.id.as_str()) {
            append(&mut self.html, format_args!("<br><q>{}</q>", escape(&comment.body)));
        }
    }
}

/// The bytes of a file. Names come from outside, so browsers must not guess or run anything.
async fn file(
    State(app): State<App>,
    Path((workspace, node)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let missing = || Failure(StatusCode::NOT_FOUND, "There is no such file".to_owned());
    let id = NodeId::parse(&node).map_err(|_| missing())?;
    let found = app.store.read(|rows| -> rusqlite::Result<Option<Node>> {
        match accounts::find_workspace(rows, &workspace)? {
            Some(workspace) => nodes::find(rows, &workspace.id, &id),
            None => Ok(None),
        }
    })?;
    let node = found.ok_or_else(missing)?;
    let content = node.content.as_ref().ok_or_else(missing)?;
    let mut response =
        Response::new(Body::from_stream(ReaderStream::new(content.open(&app.store.blobs).await?)));
    let kind = mimetype(&node.name);
    let shown = if PICTURES.contains(&kind.as_str()) { kind } else { "application/octet-stream".to_owned() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.size));
    if let Ok(shown) = HeaderValue::from_str(&shown) {
        headers.insert(header::CONTENT_TYPE, shown);
    }
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    Ok(response)
}

fn append(html: &mut String, piece: Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = html.write_fmt(piece);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("<img src=\"x\">&"), "&lt;img src=&quot;x&quot;&gt;&amp;");
    }
}
