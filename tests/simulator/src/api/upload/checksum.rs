//! `hash` and `hash_algo`, as clients declare them, and the bytes that must agree.

use crate::{
    envelope::{ApiError, code},
    params::Params,
    store::{
        Blobs,
        blobs::Blob,
        checksum::{Algorithm, Checksum},
    },
};

/// Either both or none of them are given.
pub(super) fn read(fields: &Params) -> Result<Option<Checksum>, ApiError> {
    let name = fields.one_of("hash_algo", &Algorithm::NAMES)?;
    let Some(algorithm) = name.and_then(Algorithm::parse) else {
        return match fields.optional("hash") {
            Some(_) => Err(ApiError::missing("hash_algo", "string")),
            None => Ok(None),
        };
    };
    let hex = hexadecimal(fields.required("hash")?, "hash", algorithm.digits())?;
    Ok(Some(Checksum { algorithm, hex }))
}

pub(super) fn hexadecimal(text: &str, name: &str, digits: usize) -> Result<String, ApiError> {
    let lower = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    if lower && text.len() == digits {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid(name, &format!("must be {digits} lower-case hexadecimal digits"), "hex"))
}

/// Compares with what the bytes have. Bytes that are not good are removed.
pub(super) async fn check(declared: Option<&Checksum>, blob: &Blob, blobs: &Blobs) -> Result<(), ApiError> {
    let Some(declared) = declared else { return Ok(()) };
    let computed = Checksum::of(declared.algorithm, blob, blobs).await?;
    if computed == *declared {
        return Ok(());
    }
    blobs.remove(&blob.name).await?;
    Err(mismatch(&declared.hex, &computed.hex))
}

/// Bytes and declared checksum disagree. (The code is that of CRC-32C: none is published for the others.)
pub(super) fn mismatch(declared: &str, computed: &str) -> ApiError {
    let message = format!("is {declared}, the bytes have {computed}");
    ApiError::input(code::CRC_MISMATCH, "hash", "invalid", &message, "hex")
}
