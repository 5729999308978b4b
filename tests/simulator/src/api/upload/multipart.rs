//! Multipart bodies: text fields, and the part `chunk` streamed into the blob store.

use axum::extract::multipart::{Multipart, MultipartError};

use crate::{envelope::ApiError, params::Params, store::Blobs, store::blobs::Writer};

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

/// Reads all parts. `most` is the largest size of `chunk`.
pub(super) async fn read(blobs: &Blobs, body: &mut Multipart, most: i64) -> Result<Parts, ApiError> {
    let mut parts = Parts { fields: Params::default(), chunk: None };
    while let Some(mut field) = body.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "chunk" {
            let mut writer = blobs.create().await?;
            while let Some(bytes) = field.chunk().await.map_err(broken)? {
                writer.write(&bytes).await?;
                if writer.size() > most {
                    let message = format!("must have at most {most} bytes");
                    return Err(ApiError::invalid("chunk", &message, "file"));
                }
            }
            parts.chunk = Some(writer);
            continue;
        }
        let mut text = Vec::new();
        while let Some(bytes) = field.chunk().await.map_err(broken)? {
            text.extend_from_slice(&bytes);
            if text.len() > TEXT_MAX {
                return Err(ApiError::invalid(&name, "is too long", "string"));
            }
        }
        let text = String::from_utf8(text).map_err(|_| ApiError::invalid(&name, "is not UTF-8", "string"))?;
        parts.fields.insert(name, text);
    }
    Ok(parts)
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
