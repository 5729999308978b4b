//! From chunks to a file: `complete` checks, then a task walks the session through
//! `assembling` and `storing` to its final status.

use axum::{Extension, extract::State};
use http::StatusCode;
use rusqlite::Connection;

use super::{CHUNK_MIN, checksum, chunk, open, web};
use crate::{
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::UploadId,
    routes::Caller,
    store::{
        accounts,
        blobs::Blob,
        checksum::{Algorithm, Checksum},
        placing::{self, Obstacle},
        uploads::{self, Chunk, Session, Status},
    },
};

/// One transaction, so that of two calls at the same time only one begins the assembly.
pub(super) async fn complete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    let refused = app.store.write(|rows| -> Result<Option<ApiError>, ApiError> {
        let mut session = open(rows, &id, &caller, false)?;
        let refused = check(&mut session, &uploads::chunks(rows, &id)?).err();
        session.status = if refused.is_none() { Status::Assembling } else { Status::AssemblyFailed };
        session.message = refused.as_ref().map(ToString::to_string);
        uploads::put(rows, &session)?;
        Ok(refused)
    })?;
    if let Some(error) = refused {
        return Err(error);
    }
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
    let declared = session.size.unwrap_or_default();
    if total != declared {
        return refuse(&format!("the chunks have {total} bytes, the session says {declared}"));
    }
    if chunks.iter().rev().skip(1).any(|chunk| chunk.size < CHUNK_MIN) {
        return refuse("only the last chunk may be under 1 MiB");
    }
    let computed = format!("{:08x}", combined_crc32c(chunks));
    if let Some(declared) = session.file_crc32c.clone().filter(|declared| *declared != computed) {
        session.computed_crc32c = Some(computed.clone());
        return Err(checksum::mismatch(&declared, &computed));
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
        if session.status.is_final() {
            continue;
        }
        if session.source_url.is_some() {
            web::spawn(app.clone(), session.id);
        } else if matches!(session.status, Status::Assembling | Status::Storing) {
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
    let Err(error) = assemble(app, id).await else { return };
    tracing::error!(upload = %id, %error, "an upload could not be stored");
    if let Err(error) = chunk::fail(app, id, &error.to_string()) {
        tracing::error!(upload = %id, %error, "nor could this be written down");
    }
}

async fn assemble(app: &App, id: &UploadId) -> Result<(), ApiError> {
    tokio::time::sleep(app.settings.upload_step).await;
    let chunks = app.store.read(|rows| uploads::chunks(rows, id))?;
    let parts: Vec<String> = chunks.into_iter().map(|chunk| chunk.blob).collect();
    let blob = app.store.blobs.join(&parts).await?;
    if !store(app, id, &blob).await? {
        app.store.blobs.remove(&blob.name).await?;
    }
    for part in parts {
        app.store.blobs.remove(&part).await?;
    }
    Ok(())
}

/// Takes the assembled bytes through `storing`. Says whether they are kept: not when they are spoilt, and not when the
/// session was cancelled or has failed meanwhile.
async fn store(app: &App, id: &UploadId, blob: &Blob) -> Result<bool, ApiError> {
    let Some(session) = app.store.read(|rows| going_on(rows, id))? else { return Ok(false) };
    if let Some(message) = spoilt(app, &session, blob).await? {
        chunk::fail(app, id, &message)?;
        return Ok(false);
    }
    app.store.write(|rows| match going_on(rows, id)? {
        Some(session) => uploads::put(rows, &Session { status: Status::Storing, ..session }),
        None => Ok(()),
    })?;
    tokio::time::sleep(app.settings.upload_step).await;
    let kept = app.store.write(|rows| -> rusqlite::Result<bool> {
        let Some(mut session) = going_on(rows, id)? else { return Ok(false) };
        let kept = place(app, rows, &mut session, blob)?;
        uploads::put(rows, &session)?;
        Ok(kept)
    })?;
    Ok(kept)
}

fn going_on(rows: &Connection, id: &UploadId) -> rusqlite::Result<Option<Session>> {
    Ok(uploads::find(rows, id)?.filter(|session| !session.status.is_final()))
}

/// Why the assembled bytes are not good.
async fn spoilt(app: &App, session: &Session, blob: &Blob) -> std::io::Result<Option<String>> {
    // Of chunks it was checked before, of a stream it was not.
    let crc32c = session.file_crc32c.clone().map(|hex| Checksum { algorithm: Algorithm::Crc32c, hex });
    for declared in session.file_hash.iter().chain(&crc32c) {
        let computed = Checksum::of(declared.algorithm, blob, &app.store.blobs).await?;
        if computed != *declared {
            let (name, has) = (declared.algorithm.as_str(), computed.hex);
            return Ok(Some(format!("the file has the {name} {has}, not {}", declared.hex)));
        }
    }
    let workspace = session.workspace.as_ref().map_or("", |workspace| workspace.as_str());
    Ok(app.faults.fails_assembly(workspace))
}

/// Puts the bytes to where the session says, or keeps them for an `addfile`. Says whether they are kept.
fn place(app: &App, rows: &Connection, session: &mut Session, blob: &Blob) -> rusqlite::Result<bool> {
    let Some(id) = &session.workspace else {
        // Assembled and not stored: `complete` in the older documents, which alone have this case.
        session.status = Status::Complete;
        uploads::put_assembled(rows, &session.id, blob)?;
        return Ok(true);
    };
    let placed = match accounts::find_profile(rows, id.as_str())? {
        Some(workspace) => {
            let placed = placing::place(rows, &workspace, session, blob)?;
            if let Ok(file) = &placed {
                app.faults.scan(rows, &workspace, file)?;
            }
            placed
        }
        None => Err(Obstacle::FolderGone),
    };
    match placed {
        Ok(node) => {
            session.node = Some(node);
            session.status = web::final_status(app);
        }
        Err(why) => {
            session.status = match why {
                Obstacle::VersionMismatch(_) => Status::AssemblyFailed,
                _ => Status::StoreFailed,
            };
            session.message = Some(why.to_string());
        }
    }
    Ok(session.node.is_some())
}
