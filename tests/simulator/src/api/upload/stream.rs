//! A file of unknown size in one body. The session is complete when the body is.

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
};
use futures::StreamExt as _;
use http::StatusCode;

use super::{FILE_MAX, assemble, chunk, open};
use crate::{
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply},
    params::{Query, is_type},
    routes::{Caller, drain},
    store::{
        blobs::Writer,
        uploads::{self, Chunk, Status},
    },
};

pub(super) async fn put(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    UploadPath(id): UploadPath,
    Query(query): Query,
    request: Request,
) -> Result<Reply, ApiError> {
    let ready = app.store.read(|rows| open(rows, &id, &caller, true)).and_then(|session| {
        if is_type(request.headers(), "application/octet-stream") {
            return Ok((session, chunk::Checksum::read(&query)?));
        }
        Err(ApiError::invalid("Content-Type", "must be application/octet-stream", "header"))
    });
    let (session, checksum) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            drain(request).await;
            return Err(error);
        }
    };
    let bytes = app.store.blobs.create().await?;
    let Some(bytes) = receive(bytes, request.into_body(), session.max_size.unwrap_or(FILE_MAX)).await? else {
        chunk::fail(&app, session, "the stream is larger than max_size")?;
        return Err(ApiError::invalid("max_size", "is smaller than the stream", "int"));
    };
    let blob = bytes.finish().await?;
    // Another stream of the same session may have been faster.
    let mut session = match app.store.read(|rows| open(rows, &id, &caller, true)) {
        Ok(session) => session,
        Err(error) => {
            app.store.blobs.remove(&blob.name).await?;
            return Err(error);
        }
    };
    if let Err(error) = checksum.map_or(Ok(()), |checksum| checksum.check(&blob)) {
        app.store.blobs.remove(&blob.name).await?;
        chunk::fail(&app, session, "the stream did not have its checksum")?;
        return Err(error);
    }
    session.size = Some(blob.size);
    session.status = Status::Assembling;
    let whole = Chunk { position: 1, blob: blob.name, size: blob.size, crc32c: blob.crc32c };
    app.store.write(|rows| {
        uploads::put(rows, &session)?;
        uploads::put_chunk(rows, &id, &whole)
    })?;
    assemble::spawn(app, id.clone());
    Ok(Reply::new().status(StatusCode::CREATED).with("id", id))
}

/// `None` when there is more than `most`. The rest is read all the same, so that the client can read the answer.
async fn receive(mut bytes: Writer, body: Body, most: i64) -> Result<Option<Writer>, ApiError> {
    let mut pieces = body.into_data_stream();
    let mut fits = true;
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| ApiError::invalid("body", &format!("broke off: {error}"), "bytes"))?;
        fits = fits && bytes.size().saturating_add(i64::try_from(piece.len()).unwrap_or(i64::MAX)) <= most;
        if fits {
            bytes.write(&piece).await?;
        }
    }
    Ok(fits.then_some(bytes))
}
