//! Looking at sessions, waiting for them, cancelling them.

use std::time::Duration;

use axum::{Extension, extract::State};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{chunk::chunk_map, own};
use crate::{
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply},
    ids::UploadId,
    params::Query,
    routes::Caller,
    store::{
        uploads::{self, Chunk, Session},
        versions,
    },
};

/// Longest `wait`, in seconds.
const WAIT_MAX: u64 = 590;

/// With `wait`, the answer comes when the session has a final status or the time is over.
pub(super) async fn details(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let wait = query.number("wait", 0..=WAIT_MAX)?.unwrap_or(0);
    let deadline = Instant::now() + Duration::from_secs(wait);
    let mut commits = app.store.commits();
    loop {
        commits.mark_unchanged();
        let session = app.store.read(|rows| own(rows, &id, &caller))?;
        let waiting = !session.status.is_final();
        if waiting && matches!(timeout_at(deadline, commits.changed()).await, Ok(Ok(()))) {
            continue;
        }
        let chunks = app.store.read(|rows| uploads::chunks(rows, &id))?;
        return Ok(Reply::new().with("session", view(&session, &chunks)));
    }
}

/// All sessions of the caller, except web uploads, which have a list of their own.
pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| {
        let mut sessions = Vec::new();
        for session in uploads::list(rows, Some(&caller.user))? {
            if session.source_url.is_none() {
                sessions.push(view(&session, &uploads::chunks(rows, &session.id)?));
            }
        }
        Ok(Reply::new().with("sessions", sessions))
    })
}

/// Forgets all sessions of the caller. Files that they have become stay.
pub(super) async fn cancel_all(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Reply, ApiError> {
    let sessions = app.store.read(|rows| uploads::list(rows, Some(&caller.user)))?;
    for session in &sessions {
        forget(&app, &session.id).await?;
    }
    Ok(Reply::new().with("count", sessions.len()))
}

/// Forgets a session. A file that it has become stays.
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| own(rows, &id, &caller))?;
    forget(&app, &id).await?;
    Ok(Reply::new())
}

/// Removes a session with its chunks, and the bytes that nothing else needs.
pub(crate) async fn forget(app: &App, id: &UploadId) -> Result<(), ApiError> {
    let unused = app.store.write(|rows| -> rusqlite::Result<Vec<String>> {
        let mut unused: Vec<String> =
            uploads::chunks(rows, id)?.into_iter().map(|chunk| chunk.blob).collect();
        let assembled = uploads::assembled(rows, id)?;
        uploads::delete(rows, id)?;
        if let Some(blob) = assembled
            && !versions::is_used(rows, &blob.name)?
        {
            unused.push(blob.name);
        }
        Ok(unused)
    })?;
    for blob in unused {
        app.store.blobs.remove(&blob).await?;
    }
    Ok(())
}

fn view(session: &Session, chunks: &[Chunk]) -> Value {
    let integrity_failure = session
        .computed_crc32c
        .as_ref()
        .map(|computed| json!({ "expected_crc32c": session.file_crc32c, "computed_crc32c": computed }));
    json!({
        "id": session.id,
        "name": session.name,
        "size": session.size,
        "instance_id": session.workspace,
        "folder_id": session.folder,
        "stream": session.stream,
        "status": session.status.as_str(),
        "status_message": session.message,
        "chunks": chunk_map(chunks),
        "new_file_id": session.node,
        "integrity_failure": integrity_failure,
        "created": session.created,
        "updated": session.updated,
    })
}
