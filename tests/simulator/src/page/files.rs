//! The bytes of a file. Names and bytes come from outside, so browsers must not guess or run anything.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
    response::Response,
};
use tokio_util::io::ReaderStream;

use super::{Failure, html::PICTURES};
use crate::{
    api::mimetype,
    app::App,
    ids::NodeId,
    store::{
        accounts,
        nodes::{self, Node},
    },
};

/// With `v` in the query, the link changes when the file does.
pub(super) async fn file(
    State(app): State<App>,
    Path((workspace, node)): Path<(String, String)>,
    uri: Uri,
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
    let bytes = ReaderStream::new(content.open(&app.store.blobs).await?);
    let mut response = Response::new(Body::from_stream(bytes));
    let kind = mimetype(&node.name);
    let kind = PICTURES.into_iter().find(|picture| *picture == kind).unwrap_or("application/octet-stream");
    let current = uri.query().and_then(|query| query.strip_prefix("v=")) == Some(content.id.as_str());
    let caching = if current { "private, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.size));
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
