//! A page for people: a workspace's files with pictures and comments, what has just arrived, and the
//! deliveries. It is rendered on the server and can be read without a script; with one, it keeps itself
//! up to date and takes files that are dropped on it.

mod arrivals;
mod deliveries;
mod files;
mod html;
mod tree;

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rusqlite::Connection;
use serde::Deserialize;

use crate::{
    app::App,
    store::{
        accounts::{self, Workspace},
        comments::{self, Comment, Listing},
        events::{self, Filter},
    },
};
use html::Html;

const COMMENTS_MAX: i64 = 500;
/// Scripts and styles are files of this server, and nothing else is loaded: whatever the name of a file
/// says, it cannot run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(index))
        .route("/page.css", get(async || asset("text/css", include_str!("page.css"))))
        .route("/page.js", get(async || asset("text/javascript", include_str!("page.js"))))
        .route("/files/{workspace}/{node}", get(files::file))
}

/// The page or the file cannot be shown.
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

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, text).into_response()
}

#[derive(Deserialize)]
struct Wanted {
    workspace: Option<String>,
}

/// The page of one workspace: the one that is asked for, else the one where something happened last.
/// The entity tag is the number of the last change, so that asking again costs next to nothing.
async fn index(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    asked: HeaderMap,
) -> Result<Response, Failure> {
    let tag = format!("\"{}-{}\"", std::process::id(), *app.store.commits().borrow());
    let headers = [
        (header::ETAG, HeaderValue::try_from(&tag).unwrap_or(HeaderValue::from_static("\"\""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer")),
    ];
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let page = app.store.read(|rows| page(rows, wanted.workspace.as_deref()))?;
    Ok((headers, page).into_response())
}

fn page(rows: &Connection, wanted: Option<&str>) -> rusqlite::Result<String> {
    let workspaces = accounts::workspaces(rows, None)?;
    let latest = match wanted {
        Some(wanted) => Some(wanted.to_owned()),
        None => latest(rows)?,
    };
    let named = |id: &str| workspaces.iter().find(|workspace| workspace.id.as_str() == id);
    let shown = latest.as_deref().and_then(named).or(workspaces.first());
    let mut html = Html::default();
    html.raw(include_str!("head.html"));
    html.raw("<header><h1>Simulated Fast.io</h1>");
    if workspaces.len() > 1 {
        html.raw("<nav id=workspaces>");
        for workspace in &workspaces {
            let current = shown.is_some_and(|shown| shown.id == workspace.id);
            html.raw("<a href=\"/?workspace=").text(workspace.id.as_str()).raw("\"");
            html.raw(if current { " aria-current=page>" } else { ">" }).text(&workspace.name).raw("</a>");
        }
        html.raw("</nav>");
    }
    html.raw("</header>");
    if let Some(workspace) = shown {
        section(rows, workspace, &mut html)?;
    } else {
        html.raw("<main><p class=empty>There is no workspace yet: start with <code>--workspace NAME</code>,");
        html.raw(" or <code>POST /control/workspaces</code>.</p></main>");
    }
    html.raw("<aside id=uploads aria-live=polite></aside>");
    Ok(html.into_string())
}

/// The workspace or share of the newest event.
fn latest(rows: &Connection) -> rusqlite::Result<Option<String>> {
    let mut every = Filter::default();
    every.and("seq", ">", 0);
    let newest = events::search(rows, every, None, 1, 0)?;
    Ok(newest.first().map(|event| event.workspace.to_string()))
}

fn section(rows: &Connection, workspace: &Workspace, html: &mut Html) -> rusqlite::Result<()> {
    let (comments, _) = comments::list(
        rows,
        &Listing {
            workspace: &workspace.id,
            node: None,
            include_deleted: false,
            newest_first: true,
            limit: COMMENTS_MAX,
            offset: 0,
        },
    )?;
    html.raw("<main data-workspace=\"").text(workspace.id.as_str()).raw("\"><div class=title><h2>");
    html.text(&workspace.name).raw("</h2> <code>").text(workspace.id.as_str()).raw("</code></div>");
    let shown = Shown { rows, workspace, comments: &comments };
    arrivals::write(&shown, html)?;
    tree::write(&shown, html)?;
    deliveries::write(&shown, html)?;
    html.raw("</main>");
    Ok(())
}

/// What the parts of the page are about.
struct Shown<'a> {
    rows: &'a Connection,
    workspace: &'a Workspace,
    /// Newest first.
    comments: &'a [Comment],
}

impl Shown<'_> {
    /// The comments on a node, oldest first.
    fn comments_on(&self, node: &str) -> impl Iterator<Item = &Comment> {
        self.comments.iter().rev().filter(move |comment| comment.node == node)
    }
}
