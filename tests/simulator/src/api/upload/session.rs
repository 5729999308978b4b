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
    params::Query,
    routes::Caller,
    store::uploads::{self, Chunk, Session},
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
        let session = own(&app, &id, &caller)?;
        let waiting = !session.status.is_final();
        if waiting && matches!(timeout_at(deadline, commits.changed()).await, Ok(Ok(()))) {
            continue;
        }
        let chunks = app.store.read(|rows| uploads::chunks(rows, &id))?;
        return Ok(Reply::new().with("session", view(&session, &chunks)));
    }
}

pub(super) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| {
        let mut sessions = Vec::new();
        for session in uploads::list(rows, Some(&caller.user))? {
            let chunks = uploads::chunks(rows, &session.id)?;
            sessions.push(view(&session, &chunks));
        }
        Ok(Reply::new().with("sessions", sessions))
    })
}

/// Forgets a session. A file that it has become stays.
pub(super) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    own(&app, &id, &caller)?;
    let chunks = app.store.write(|rows| -> rusqlite::Result<Vec<Chunk>> {
        let chunks = uploads::chunks(rows, &id)?;
        uploads::delete(rows, &id)?;
        Ok(chunks)
    })?;
    for chunk in chunks {
        app.store.blobs.remove(&chunk.blob).await?;
    }
    Ok(Reply::new())
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
        "status": session.status.as_str(),
        "status_message": session.message,
        "chunks": chunk_map(chunks),
        "new_file_id": session.node,
        "integrity_failure": integrity_failure,
        "created": session.created,
        "updated": session.updated,
    })
}
