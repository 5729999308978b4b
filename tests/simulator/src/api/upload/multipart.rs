//! Multipart bodies: text fields, and files streamed into the blob store.

use std::collections::HashMap;

use axum::extract::multipart::{Field, Multipart, MultipartError};

use crate::{
    envelope::ApiError,
    params::Params,
    store::{Blobs, blobs::Writer},
};

/// Longest text field.
const TEXT_MAX: usize = 64 * 1024;
/// How much of a refused body is still read, so that the client can read the answer instead of
/// seeing its connection reset.
const DRAIN_MAX: usize = 128 * 1024 * 1024;

/// A body that was read. The bytes are dropped unless they are finished.
pub(super) struct Parts {
    pub(super) fields: Params,
    pub(super) chunk: Option<Writer>,
}

/// A file of a body of many.
pub(super) enum File {
    Whole(Box<Writer>),
    TooLarge,
}

/// Reads all parts. `most` is the largest size of `chunk`.
pub(super) async fn read(blobs: &Blobs, body: &mut Multipart, most: i64) -> Result<Parts, ApiError> {
    let mut parts = Parts { fields: Params::default(), chunk: None };
    while let Some(mut field) = body.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "chunk" {
            match file(blobs, &mut field, most).await?.0 {
                File::Whole(bytes) => parts.chunk = Some(*bytes),
                File::TooLarge => {
                    let message = format!("must have at most {most} bytes");
                    return Err(ApiError::invalid("chunk", &message, "file"));
                }
            }
        } else {
            let text = text(&mut field, &name, TEXT_MAX).await?;
            parts.fields.insert(name, text);
        }
    }
    Ok(parts)
}

/// Reads fields and files, each file under its name. A file may have `most` bytes, all together `in_all`.
pub(super) async fn read_files(
    blobs: &Blobs,
    body: &mut Multipart,
    most: i64,
    in_all: i64,
) -> Result<(Params, HashMap<String, File>), ApiError> {
    let (mut fields, mut files) = (Params::default(), HashMap::new());
    let mut left = in_all;
    while let Some(mut field) = body.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name.starts_with("file_") {
            let (file, size) = file(blobs, &mut field, most.min(left)).await?;
            left -= size;
            if left <= 0 {
                return Err(ApiError::invalid(
                    "body",
                    &format!("must have at most {in_all} bytes"),
                    "multipart",
                ));
            }
            files.insert(name, file);
        } else {
            // The manifest of two hundred files with long paths is larger than other fields.
            let text = text(&mut field, &name, 64 * TEXT_MAX).await?;
            fields.insert(name, text);
        }
    }
    Ok((fields, files))
}

/// A file and its size; the bytes of one that is too large are read and forgotten.
async fn file(blobs: &Blobs, field: &mut Field<'_>, most: i64) -> Result<(File, i64), ApiError> {
    let mut writer = Some(blobs.create().await?);
    let mut size = 0_i64;
    while let Some(bytes) = field.chunk().await.map_err(broken)? {
        size = size.saturating_add(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        writer = writer.filter(|_| size <= most);
        if let Some(writer) = &mut writer {
            writer.write(&bytes).await?;
        }
    }
    Ok((writer.map_or(File::TooLarge, |writer| File::Whole(Box::new(writer))), size))
}

async fn text(field: &mut Field<'_>, name: &str, most: usize) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.map_err(broken)? {
        text.extend_from_slice(&bytes);
        if text.len() > most {
            return Err(ApiError::invalid(name, "is too long", "string"));
        }
    }
    String::from_utf8(text).map_err(|_| ApiError::invalid(name, "is not UTF-8", "string"))
}

/// Reads the rest of a body that is refused.
pub(super) async fn drain(body: &mut Multipart) {
    let mut left = DRAIN_MAX;
    while let Ok(Some(mut field)) = body.next_field().await {
        while let Ok(Some(bytes)) = field.chunk().await {
            left = left.saturating_sub(bytes.len());
            if left == 0 {
                return;
            }
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn broken(error: MultipartError) -> ApiError {
    ApiError::invalid("body", &format!("is not well-formed multipart: {}", error.body_text()), "multipart")
}
