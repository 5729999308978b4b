//! The guide's header value: `sha256=` and the hexadecimal HMAC.

/// Length of an HMAC-SHA256 in bytes.
const LEN: usize = 32;
const PREFIX: &[u8] = b"sha256=";
/// Most signatures that are looked at in one header.
const MAX_SIGNATURES: usize = 8;

/// The signatures in a header. Parts that have another form are skipped: one good signature is enough.
pub(super) fn parse(header: &[u8]) -> Vec<[u8; LEN]> {
    header
        .split(|byte| *byte == b',')
        .filter_map(|part| {
            let digits = part.trim_ascii().strip_prefix(PREFIX)?;
            let mut signature = [0; LEN];
            // Refuses every other length than twice that of the signature.
            hex::decode_to_slice(digits, &mut signature).ok()?;
            Some(signature)
        })
        .take(MAX_SIGNATURES)
        .collect()
}

pub(super) fn format(signature: &[u8]) -> String {
    format!("sha256={}", hex::encode(signature))
}
