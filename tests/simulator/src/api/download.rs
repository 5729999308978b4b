//! Reading files: a token from `requestread`, bytes from `read`.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use rusqlite::Connection;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::{path::NodePath, storage};
use crate::{
    app::App,
    envelope::{ApiError, Reply, code},
    faults::replace,
    ids::{NodeId, VersionId},
    params::{Params, Query},
    routes::{Caller, Routes},
    store::{
        accounts::Workspace,
        events::{self, EventName},
        nodes::{self, Node},
        versions::{self, Version},
    },
    tokens,
};

const BUFFER: usize = 32 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    storage::PREFIXES.into_iter().fold(routes, |routes, (prefix, scope)| {
        routes
            .get(&format!("{prefix}/{{node}}/requestread/"), "download.requestread", scope, request_read)
            .get_by_token(&format!("{prefix}/{{node}}/read/"), "download.read", scope, read)
    })
}

async fn request_read(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(id): NodePath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let wanted = version_id(&query)?;
    app.store.write(|rows| {
        let (node, _) = content(rows, &workspace, &id, wanted.as_ref())?;
        events::record_node(rows, &workspace, &caller.user, EventName::DownloadTokenCreated, &node)?;
        let lifetime = app.faults.token_lifetime(workspace.id.as_str()).unwrap_or(tokens::LIFETIME);
        Ok(Reply::new().with("token", app.tokens.issue(&workspace.id, &id, wanted, lifetime)))
    })
}

async fn read(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(id): NodePath,
    Query(query): Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut wanted = version_id(&query)?;
    if let Some(token) = query.optional("token") {
        let claims = app.tokens.verify(token).map_err(|error| ApiError::unauthorized(&error.to_string()))?;
        if claims.node != id || claims.workspace != workspace.id {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                code::ACCESS_DENIED,
                "The download token is for another file",
            ));
        }
        wanted = wanted.or(claims.version);
    }
    let replaced = replace::on_read(&app, &workspace, &id).await?;
    let (node, version) = app.store.read(|rows| content(rows, &workspace, &id, wanted.as_ref()))?;
    let size = version.size.unsigned_abs();
    let range = headers.get(header::RANGE).filter(|_| app.settings.ranges);
    let part = match range.and_then(|value| value.to_str().ok()).map(|value| parse_range(value, size)) {
        Some(Range::Part { start, end }) => Some((start, end)),
        Some(Range::Unsatisfiable) => return Ok(unsatisfiable(size)),
        Some(Range::Whole) | None => None,
    };
    let (start, length) = part.map_or((0, size), |(start, end)| (start, end - start + 1));
    let mut file = version.open(&app.store.blobs).await?;
    file.seek(std::io::SeekFrom::Start(start)).await?;
    let bytes = ReaderStream::with_capacity(file.take(length), BUFFER);
    let body = Body::from_stream(bytes).into_data_stream();
    let mut response = Response::new(Body::from_stream(replace::during(body, replaced)));
    let headers = response.headers_mut();
    if let Ok(mimetype) = HeaderValue::from_str(&storage::mimetype(&node.name)) {
        headers.insert(header::CONTENT_TYPE, mimetype);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if app.settings.ranges {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    }
    if let Some((start, end)) = part {
        if let Ok(range) = HeaderValue::from_str(&format!("bytes {start}-{end}/{size}")) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn version_id(query: &Params) -> Result<Option<VersionId>, ApiError> {
    query
        .optional("version_id")
        .map(|text| VersionId::parse(text).map_err(|_| ApiError::malformed_id("version_id")))
        .transpose()
}

/// The file and the version of it that is asked for, by default the current one. A file in the trash can
/// be read until it is purged. (No source says so; people look into the trash before they empty it.)
fn content(
    rows: &Connection,
    workspace: &Workspace,
    id: &NodeId,
    wanted: Option<&VersionId>,
) -> Result<(Node, Version), ApiError> {
    let node = match nodes::find(rows, &workspace.id, id)? {
        Some(node) => node,
        None if nodes::is_purged(rows, &workspace.id, id)? => {
            let text = "The content is gone";
            return Err(ApiError::new(StatusCode::NOT_FOUND, code::CONTENT_GONE, text));
        }
        None => return Err(ApiError::node_not_found()),
    };
    let current =
        node.content.clone().ok_or_else(|| ApiError::invalid("node", "must be a file", "file id"))?;
    let version = match wanted {
        None => Some(current),
        Some(wanted) => versions::list(rows, id)?.into_iter().find(|version| version.id == *wanted),
    };
    Ok((node, version.ok_or_else(|| ApiError::not_found("version"))?))
}

/// What a `Range` header asks for (RFC 9110 §14).
#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// Not a range that is understood, or several: the whole file.
    Whole,
    /// First and last byte.
    Part {
        start: u64,
        end: u64,
    },
    Unsatisfiable,
}

fn parse_range(header: &str, size: u64) -> Range {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|set| set.split_once('-')) else {
        return Range::Whole;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(start), Ok(end)) if end >= start => (start, end.min(size.saturating_sub(1))),
        (Ok(start), Err(_)) if last.is_empty() => (start, size.saturating_sub(1)),
        (Err(_), Ok(0)) if first.is_empty() => return Range::Unsatisfiable,
        (Err(_), Ok(suffix)) if first.is_empty() => (size.saturating_sub(suffix), size.saturating_sub(1)),
        _ => return Range::Whole,
    };
    if start >= size { Range::Unsatisfiable } else { Range::Part { start, end } }
}

fn unsatisfiable(size: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(parse_range("bytes=0-9", 100), Range::Part { start: 0, end: 9 });
        assert_eq!(parse_range("bytes=90-", 100), Range::Part { start: 90, end: 99 });
        assert_eq!(parse_range("bytes=-5", 100), Range::Part { start: 95, end: 99 });
        assert_eq!(parse_range("bytes=50-1000", 100), Range::Part { start: 50, end: 99 });
        assert_eq!(parse_range("bytes=100-", 100), Range::Unsatisfiable);
        assert_eq!(parse_range("bytes=-0", 100), Range::Unsatisfiable);
        assert_eq!(parse_range("bytes=0-", 0), Range::Unsatisfiable);
        assert_eq!(parse_range("bytes=0-1,5-6", 100), Range::Whole);
        assert_eq!(parse_range("bytes=9-0", 100), Range::Whole);
        assert_eq!(parse_range("lines=1-2", 100), Range::Whole);
    }
}
