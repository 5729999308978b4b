//! A file of unknown size in one body. The session is complete when the body is.

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
};
use futures::StreamExt as _;
use http::StatusCode;

use super::{FILE_MAX, assemble, checksum, chunk, open};
use crate::{
    api::path::UploadPath,
    app::App,
    envelope::{ApiError, Reply},
    params::{Query, is_type},
    routes::{Caller, drain},
    store::{
        blobs::Writer,
        uploads::{self, Chunk, Session, Status},
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
            return Ok((session, checksum::read(&query)?));
        }
        Err(ApiError::invalid("Content-Type", "must be application/octet-stream", "header"))
    });
    let (session, declared) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            drain(request).await;
            return Err(error);
        }
    };
    let bytes = app.store.blobs.create().await?;
    let Some(bytes) = receive(bytes, request.into_body(), session.max_size.unwrap_or(FILE_MAX)).await? else {
        chunk::fail(&app, &id, "the stream is larger than max_size")?;
        return Err(ApiError::invalid("max_size", "is smaller than the stream", "int"));
    };
    let blob = bytes.finish().await?;
    if let Err(error) = checksum::check(declared.as_ref(), &blob, &app.store.blobs).await {
        chunk::fail(&app, &id, "the stream did not have its checksum")?;
        return Err(error);
    }
    let whole = Chunk { position: 1, blob: blob.name.clone(), size: blob.size, crc32c: blob.crc32c };
    let begun = app.store.write(|rows| {
        // Another stream of the same session may have been faster.
        let session = open(rows, &id, &caller, true)?;
        uploads::put(rows, &Session { size: Some(blob.size), status: Status::Assembling, ..session })?;
        Ok(uploads::put_chunk(rows, &id, &whole)?)
    });
    if let Err(error) = begun {
        app.store.blobs.remove(&blob.name).await?;
        return Err(error);
    }
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
