//! Uploads: in one call up to 4 MiB, as a session of chunks, as a stream, many small ones in a batch, or
//! from a URL.

mod assemble;
mod batch;
mod checksum;
mod chunk;
mod create;
mod limits;
mod multipart;
mod session;
mod stream;
mod web;

pub(crate) use assemble::resume;
pub(crate) use chunk::ChunkSlots;
pub(crate) use session::forget;

use rusqlite::Connection;

use crate::{
    envelope::ApiError,
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
        .delete("/upload/", "upload.cancel_all", Scope::Account, session::cancel_all)
        .get("/upload/limits/", "upload.limits", Scope::Query, limits::limits)
        .get("/upload/limits/extensions/", "upload.extensions", Scope::Account, limits::extensions)
        .get("/upload/algos/", "upload.algos", Scope::Account, limits::algos)
        .get("/upload/details/", "upload.sessions", Scope::Account, session::list)
        .get("/upload/{upload}/details/", "upload.details", Scope::Upload, session::details)
        .delete("/upload/{upload}/", "upload.cancel", Scope::Upload, session::cancel)
        .post("/upload/{upload}/chunk/", "upload.chunk", Scope::Upload, chunk::put)
        .get("/upload/{upload}/chunk/", "upload.chunks", Scope::Upload, chunk::map)
        .delete("/upload/{upload}/chunk/", "upload.delete_chunk", Scope::Upload, chunk::delete)
        .post("/upload/{upload}/complete/", "upload.complete", Scope::Upload, assemble::complete)
        .post("/upload/{upload}/stream/", "upload.stream", Scope::Upload, stream::put)
        .post("/upload/batch/", "upload.batch", Scope::Body, batch::create)
        .get("/upload/batch/{upload}/", "upload.batch_details", Scope::Account, batch::details)
        .post("/web_upload/", "web_upload.create", Scope::Body, web::create)
        .get("/web_upload/", "web_upload.list", Scope::Account, web::list)
        .delete("/web_upload/", "web_upload.cancel", Scope::Account, web::cancel)
        .get("/web_upload/{upload}/details/", "web_upload.details", Scope::Upload, web::details)
}

/// A session of the caller.
fn own(rows: &Connection, id: &UploadId, caller: &Caller) -> Result<Session, ApiError> {
    uploads::find(rows, id)?
        .filter(|session| session.user == caller.user)
        .ok_or_else(|| ApiError::not_found("upload session"))
}

/// A session of the caller that still takes bytes, in the way that it was opened for.
fn open(rows: &Connection, id: &UploadId, caller: &Caller, stream: bool) -> Result<Session, ApiError> {
    let session = own(rows, id, caller)?;
    if session.stream != stream {
        let message = if stream { "is for sessions with stream=true" } else { "is not for streams" };
        return Err(ApiError::invalid("stream", message, "bool"));
    }
    if session.status.accepts_chunks() {
        return Ok(session);
    }
    let text = format!("The upload session is {}", session.status.as_str());
    Err(ApiError::conflict("session_not_open", text))
}
