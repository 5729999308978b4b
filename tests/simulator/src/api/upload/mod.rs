//! Uploads: in one call up to 4 MiB, or as a session of chunks.

mod assemble;
mod chunk;
mod create;
mod multipart;
mod session;

pub(crate) use assemble::resume;
pub(crate) use chunk::ChunkSlots;
use serde_json::json;

use crate::{
    app::App,
    envelope::{ApiError, Reply},
    ids::UploadId,
    routes::{Caller, Routes, Scope},
    store::uploads::{self, Session},
};

/// Largest file of an upload in one call: 4 MiB.
const SINGLE_CALL_MAX: i64 = 4 * 1024 * 1024;
/// Smallest chunk that is not the last one: 1 MiB.
const CHUNK_MIN: i64 = 1024 * 1024;
/// Largest chunk: 100 MB.
const CHUNK_MAX: i64 = 100_000_000;
/// Chunks of a session, in the Business plan.
const CHUNKS_MAX: i64 = 550;
/// Largest file, in the Business plan: 50 GB.
const FILE_MAX: i64 = 50_000_000_000;
/// Sessions of an account, in the Business plan.
const SESSIONS_MAX: i64 = 7_500;
/// Bytes of all open sessions of an account, in the Business plan.
const SESSIONS_SIZE_MAX: i64 = 320_000_000_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post("/upload/", "upload.create", Scope::Body, create::create)
        .get("/upload/limits/", "upload.limits", Scope::Account, limits)
        .get("/upload/algos/", "upload.algos", Scope::Account, algos)
        .get("/upload/details/", "upload.sessions", Scope::Account, session::list)
        .get("/upload/{upload}/details/", "upload.details", Scope::Upload, session::details)
        .delete("/upload/{upload}/", "upload.cancel", Scope::Upload, session::cancel)
        .post("/upload/{upload}/chunk/", "upload.chunk", Scope::Upload, chunk::put)
        .get("/upload/{upload}/chunk/", "upload.chunks", Scope::Upload, chunk::map)
        .delete("/upload/{upload}/chunk/", "upload.delete_chunk", Scope::Upload, chunk::delete)
        .post("/upload/{upload}/complete/", "upload.complete", Scope::Upload, assemble::complete)
}

async fn limits() -> Reply {
    Reply::new()
        .with("chunk_size", CHUNK_MAX)
        .with("size", FILE_MAX)
        .with("chunks", CHUNKS_MAX)
        .with("sessions", SESSIONS_MAX)
        .with("sessions_size_max", SESSIONS_SIZE_MAX)
}

/// The service also has md5, sha1 and sha384.
async fn algos() -> Reply {
    Reply::new().with("algos", json!(["crc32c", "sha256"]))
}

/// A session of the caller.
fn own(app: &App, id: &UploadId, caller: &Caller) -> Result<Session, ApiError> {
    app.store
        .read(|rows| uploads::find(rows, id))?
        .filter(|session| session.user == caller.user)
        .ok_or_else(|| ApiError::not_found("upload session"))
}

/// A session of the caller that still takes chunks.
fn open(app: &App, id: &UploadId, caller: &Caller) -> Result<Session, ApiError> {
    let session = own(app, id, caller)?;
    if session.status.accepts_chunks() {
        return Ok(session);
    }
    let text = format!("The upload session is {}", session.status.as_str());
    Err(ApiError::conflict("session_not_open", text))
}
