//! From chunks to a file: `complete` checks, then a task walks the session through
//! `assembling` and `storing` to its final status.

use axum::{Extension, extract::State};
use http::StatusCode;

use super::{CHUNK_MIN, chunk, open};
use crate::{
    FinalStatus,
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::UploadId,
    routes::Caller,
    store::uploads::{self, Chunk, Session, Status},
};

pub(super) async fn complete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    let mut session = open(&app, &id, &caller)?;
    let chunks = app.store.read(|rows| uploads::chunks(rows, &id))?;
    if let Err(error) = check(&mut session, &chunks) {
        chunk::fail(&app, session, &error.to_string())?;
        return Err(error);
    }
    session.status = Status::Assembling;
    app.store.write(|rows| uploads::put(rows, &session))?;
    spawn(app, id);
    Ok(Reply::new().status(StatusCode::ACCEPTED))
}

/// All chunks from the first to the last, each large enough, together the declared file. What
/// fails here cannot be saved.
fn check(session: &mut Session, chunks: &[Chunk]) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::input(code::UPLOAD_SIZE, "size", "invalid", message, "int"));
    if !chunks.iter().zip(1..).all(|(chunk, position)| chunk.position == position) {
        return refuse("a chunk is missing");
    }
    let total: i64 = chunks.iter().map(|chunk| chunk.size).sum();
    if total != session.size {
        return refuse(&format!("the chunks have {total} bytes, the session says {}", session.size));
    }
    if chunks.iter().rev().skip(1).any(|chunk| chunk.size < CHUNK_MIN) {
        return refuse("only the last chunk may be under 1 MiB");
    }
    let computed = format!("{:08x}", combined_crc32c(chunks));
    if let Some(declared) = session.file_crc32c.clone().filter(|declared| *declared != computed) {
        session.computed_crc32c = Some(computed.clone());
        return Err(chunk::mismatch(&declared, &computed));
    }
    Ok(())
}

fn combined_crc32c(chunks: &[Chunk]) -> u32 {
    chunks.iter().fold(0, |crc, chunk| {
        crc32c::crc32c_combine(crc, chunk.crc32c, usize::try_from(chunk.size).unwrap_or(usize::MAX))
    })
}

/// Continues what a stopped process had not finished.
pub(crate) fn resume(app: &App) -> rusqlite::Result<()> {
    let sessions = app.store.read(|rows| uploads::list(rows, None))?;
    for session in sessions {
        if matches!(session.status, Status::Assembling | Status::Storing) {
            spawn(app.clone(), session.id);
        }
    }
    Ok(())
}

pub(super) fn spawn(app: App, id: UploadId) {
    tokio::spawn(async move { run(&app, &id).await });
}

/// Stores a session whose chunks are complete.
pub(super) async fn run(app: &App, id: &UploadId) {
    if let Err(error) = assemble(app, id).await {
        tracing::error!(upload = %id, %error, "an upload could not be stored");
    }
}

async fn assemble(app: &App, id: &UploadId) -> Result<(), ApiError> {
    tokio::time::sleep(app.settings.upload_step).await;
    let chunks = app.store.read(|rows| uploads::chunks(rows, id))?;
    let parts: Vec<String> = chunks.into_iter().map(|chunk| chunk.blob).collect();
    let blob = app.store.blobs.join(&parts).await?;
    let Some(mut session) = app.store.read(|rows| uploads::find(rows, id))? else {
        // Cancelled.
        return Ok(app.store.blobs.remove(&blob.name).await?);
    };
    session.status = Status::Storing;
    app.store.write(|rows| uploads::put(rows, &session))?;
    tokio::time::sleep(app.settings.upload_step).await;
    let stored = app.store.write(|rows| -> rusqlite::Result<bool> {
        let Some(mut session) = uploads::find(rows, id)? else { return Ok(false) };
        match uploads::store(rows, &session, &blob)? {
            Ok(node) => {
                session.node = Some(node);
                session.status = match app.settings.upload_final {
                    FinalStatus::Complete => Status::Complete,
                    FinalStatus::Stored => Status::Stored,
                };
            }
            Err(why) => {
                session.status = Status::StoreFailed;
                session.message = Some(why);
            }
        }
        uploads::put(rows, &session)?;
        Ok(session.node.is_some())
    })?;
    if !stored {
        app.store.blobs.remove(&blob.name).await?;
    }
    for part in parts {
        app.store.blobs.remove(&part).await?;
    }
    Ok(())
}
