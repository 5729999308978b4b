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

use super::{CHUNK_MAX, CHUNK_MIN, CHUNKS_MAX, multipart, open, own};
use crate::{
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::UploadId,
    params::{Params, Query},
    routes::Caller,
    store::{
        blobs::Blob,
        uploads::{self, Chunk, Session, Status},
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

/// `hash` and `hash_algo`, as a client declares them.
pub(super) enum Checksum {
    Crc32c(String),
    Sha256(String),
}

impl Checksum {
    pub(super) fn read(fields: &Params) -> Result<Option<Self>, ApiError> {
        let Some(algorithm) = fields.one_of("hash_algo", &["crc32c", "sha256"])? else { return Ok(None) };
        let (digits, make): (usize, fn(String) -> Self) =
            if algorithm == "crc32c" { (8, Self::Crc32c) } else { (64, Self::Sha256) };
        Ok(Some(make(hexadecimal(fields.required("hash")?, "hash", digits)?)))
    }

    pub(super) fn check(&self, blob: &Blob) -> Result<(), ApiError> {
        let (declared, computed) = match self {
            Self::Crc32c(declared) => (declared, format!("{:08x}", blob.crc32c)),
            Self::Sha256(declared) => (declared, blob.sha256.clone()),
        };
        if *declared == computed { Ok(()) } else { Err(mismatch(declared, &computed)) }
    }
}

/// Bytes and declared checksum disagree.
pub(super) fn mismatch(declared: &str, computed: &str) -> ApiError {
    let message = format!("is {declared}, the bytes have {computed}");
    ApiError::input(code::CRC_MISMATCH, "hash", "invalid", &message, "hex")
}

fn hexadecimal(text: &str, name: &str, digits: usize) -> Result<String, ApiError> {
    let lower = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    if lower && text.len() == digits {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid(name, &format!("must be {digits} lower-case hexadecimal digits"), "hex"))
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
    let checksum = Checksum::read(&fields)?;
    let file_crc32c =
        fields.optional("file_crc32c").map(|text| hexadecimal(text, "file_crc32c", 8)).transpose()?;
    let bytes = parts.chunk.ok_or_else(|| ApiError::missing("chunk", "file"))?;
    if bytes.size() != size {
        let message = format!("says {size} bytes, the chunk has {}", bytes.size());
        return Err(ApiError::invalid("size", &message, "int"));
    }
    let blob = bytes.finish().await?;
    let kept = keep(app, caller, id, position, &blob, checksum, file_crc32c);
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
    checksum: Option<Checksum>,
    file_crc32c: Option<String>,
) -> Result<Option<String>, ApiError> {
    if let Err(error) = checksum.map_or(Ok(()), |checksum| checksum.check(blob)) {
        let session = app.store.read(|rows| open(rows, id, caller, false))?;
        fail(app, session, "a chunk did not have its checksum")?;
        return Err(error);
    }
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

/// Ends a session that cannot be saved any more.
pub(super) fn fail(app: &App, mut session: Session, why: &str) -> Result<(), ApiError> {
    session.status = Status::AssemblyFailed;
    session.message = Some(why.to_owned());
    Ok(app.store.write(|rows| uploads::put(rows, &session))?)
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
