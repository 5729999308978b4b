//! Reading files: a token from `requestread`, bytes from `read`.

use std::{num::NonZeroU64, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use rusqlite::Connection;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::{path::NodePath, storage};
use crate::{
    app::App,
    envelope::{ApiError, Reply, code},
    ids::{NodeId, ProfileId, VersionId},
    params::{Params, Query},
    routes::{Caller, Routes, Scope},
    store::{
        accounts::Workspace,
        events::{self, EventName},
        nodes::{self, Node, Version},
    },
};

const BUFFER: usize = 32 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/workspace/{workspace}/storage/{node}/requestread/",
            "download.requestread",
            Scope::Workspace,
            request_read,
        )
        .get_by_token("/workspace/{workspace}/storage/{node}/read/", "download.read", Scope::Workspace, read)
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
        Ok(Reply::new().with("token", app.tokens.issue(&workspace.id, &id, wanted)))
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
    let mut response = Response::new(Body::from_stream(throttled(bytes, app.clone(), workspace.id)));
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

/// The file and the version of it that is asked for, by default the current one.
fn content(
    rows: &Connection,
    workspace: &Workspace,
    id: &NodeId,
    wanted: Option<&VersionId>,
) -> Result<(Node, Version), ApiError> {
    let node = storage::existing(rows, workspace, id)?;
    if node.trashed {
        return Err(ApiError::new(StatusCode::NOT_FOUND, code::CONTENT_GONE, "The content is gone"));
    }
    let current =
        node.content.clone().ok_or_else(|| ApiError::invalid("node", "must be a file", "file id"))?;
    let version = match wanted {
        None => Some(current),
        Some(wanted) => nodes::versions(rows, id)?.into_iter().find(|version| version.id == *wanted),
    };
    Ok((node, version.ok_or_else(|| ApiError::not_found("version"))?))
}

/// Slows a download down to the cap that is set at each moment.
fn throttled<E>(
    bytes: impl Stream<Item = Result<Bytes, E>>,
    app: App,
    workspace: ProfileId,
) -> impl Stream<Item = Result<Bytes, E>> {
    bytes.then(move |piece| {
        let cap = app.faults.bandwidth(workspace.as_str());
        async move {
            if let (Some(cap), Ok(piece)) = (cap, &piece) {
                tokio::time::sleep(time_for(piece.len(), cap)).await;
            }
            piece
        }
    })
}

fn time_for(bytes: usize, per_second: NonZeroU64) -> Duration {
    let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000) / per_second;
    Duration::from_micros(micros)
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
