//! Chunks of a session: in any order, at most three at a time, each checked as it arrives.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Extension,
    extract::{Multipart, State},
};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{CHUNK_MAX, CHUNK_MIN, CHUNKS_MAX, checksum, multipart, open, own};
use crate::{
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::UploadId,
    params::{Params, Query},
    routes::Caller,
    store::{
        blobs::Blob,
        uploads::{self, Chunk, Status},
    },
};

/// Chunks of one session that may arrive at the same time.
const PARALLEL: u32 = 3;

/// How many chunks of each session are arriving now.
#[derive(Debug, Default)]
pub(crate) struct ChunkSlots(Arc<Mutex<HashMap<UploadId, u32>>>);

/// One of the places; free again when it is dropped.
struct Slot {
    slots: Arc<Mutex<HashMap<UploadId, u32>>>,
    id: UploadId,
}

impl ChunkSlots {
    fn take(&self, id: &UploadId) -> Result<Slot, ApiError> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(id.clone()).or_default();
        if *count >= PARALLEL {
            // Which status the service answers is not published.
            let text = "At most three chunks of a session may be uploaded at the same time";
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMITED, text));
        }
        *count += 1;
        Ok(Slot { slots: Arc::clone(&self.0), id: id.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.id);
            }
        }
    }
}

/// `order` and `size` come in the query, as the CLI sends them, or as fields, as the documents say.
pub(super) async fn put(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
    Query(query): Query,
    mut body: Multipart,
) -> Result<Reply, ApiError> {
    let outcome = receive(&app, &caller, &id, query, &mut body).await;
    if outcome.is_err() {
        multipart::drain(&mut body).await;
    }
    outcome
}

async fn receive(
    app: &App,
    caller: &Caller,
    id: &UploadId,
    query: Params,
    body: &mut Multipart,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| open(rows, id, caller, false))?;
    let _slot = app.chunk_slots.take(id)?;
    let parts = multipart::read(&app.store.blobs, body, CHUNK_MAX).await?;
    let fields = query.or(parts.fields);
    let position = fields.required_number("order", 1..=CHUNKS_MAX)?;
    let size = fields.required_number("size", 1..=CHUNK_MAX)?;
    let declared = checksum::read(&fields)?;
    let file_crc32c = fields.optional("file_crc32c");
    let file_crc32c = file_crc32c.map(|text| checksum::hexadecimal(text, "file_crc32c", 8)).transpose()?;
    let bytes = parts.chunk.ok_or_else(|| ApiError::missing("chunk", "file"))?;
    if bytes.size() != size {
        let message = format!("says {size} bytes, the chunk has {}", bytes.size());
        return Err(ApiError::invalid("size", &message, "int"));
    }
    let blob = bytes.finish().await?;
    if let Err(error) = checksum::check(declared.as_ref(), &blob, &app.store.blobs).await {
        fail(app, id, "a chunk did not have its checksum")?;
        return Err(error);
    }
    let kept = keep(app, caller, id, position, &blob, file_crc32c);
    let unused = match &kept {
        Ok(replaced) => replaced.clone(),
        Err(_) => Some(blob.name),
    };
    if let Some(unused) = unused {
        app.store.blobs.remove(&unused).await?;
    }
    kept.map(|_| Reply::new())
}

/// Writes the chunk into its session. Returns the blob of a chunk that it replaces.
fn keep(
    app: &App,
    caller: &Caller,
    id: &UploadId,
    position: i64,
    blob: &Blob,
    file_crc32c: Option<String>,
) -> Result<Option<String>, ApiError> {
    app.store.write(|rows| {
        let mut session = open(rows, id, caller, false)?;
        let chunks = uploads::chunks(rows, id)?;
        if blob.size < CHUNK_MIN && chunks.iter().any(|chunk| chunk.position > position) {
            return Err(ApiError::invalid("size", "only the last chunk may be under 1 MiB", "int"));
        }
        if let Some(declared) = file_crc32c {
            if session.file_crc32c.as_ref().is_some_and(|known| *known != declared) {
                let text = "Another checksum of the whole file was declared before";
                return Err(ApiError::new(StatusCode::CONFLICT, code::CRC_CONFLICT, text));
            }
            session.file_crc32c = Some(declared);
        }
        session.status = Status::Uploading;
        uploads::put(rows, &session)?;
        let chunk = Chunk { position, blob: blob.name.clone(), size: blob.size, crc32c: blob.crc32c };
        uploads::put_chunk(rows, id, &chunk)?;
        Ok(chunks.into_iter().find(|known| known.position == position).map(|known| known.blob))
    })
}

/// Ends a session that cannot be saved any more, unless it is gone or has ended already.
pub(super) fn fail(app: &App, id: &UploadId, why: &str) -> rusqlite::Result<()> {
    app.store.write(|rows| {
        let Some(mut session) = uploads::find(rows, id)?.filter(|session| !session.status.is_final()) else {
            return Ok(());
        };
        session.status = Status::AssemblyFailed;
        session.message = Some(why.to_owned());
        uploads::put(rows, &session)
    })
}

pub(super) async fn map(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
) -> Result<Reply, ApiError> {
    let chunks = app.store.read(|rows| {
        own(rows, &id, &caller)?;
        Ok::<_, ApiError>(uploads::chunks(rows, &id)?)
    })?;
    Ok(Reply::new().with("chunks", chunk_map(&chunks)))
}

/// `{"1": bytes, …}`
pub(super) fn chunk_map(chunks: &[Chunk]) -> Map<String, Value> {
    chunks.iter().map(|chunk| (chunk.position.to_string(), chunk.size.into())).collect()
}

pub(super) async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let position = query.required_number("order", 1..=CHUNKS_MAX)?;
    let chunk = app.store.write(|rows| {
        open(rows, &id, &caller, false)?;
        let chunks = uploads::chunks(rows, &id)?;
        uploads::delete_chunks(rows, &id, Some(position))?;
        let chunk = chunks.into_iter().find(|chunk| chunk.position == position);
        chunk.ok_or_else(|| ApiError::not_found("chunk"))
    })?;
    app.store.blobs.remove(&chunk.blob).await?;
    Ok(Reply::new())
}
