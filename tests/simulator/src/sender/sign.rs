//! The three signatures of deliveries.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::Mac as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    store::format::{Format, Scheme},
    tokens::keyed,
};

/// What an attempt carries beside its body. `seconds` is the time of signing.
pub(super) fn headers(
    format: &Format,
    key: &[u8],
    seconds: i64,
    body: &[u8],
) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let signature = match format.scheme {
        Scheme::BodyHex => format!("sha256={}", hex::encode(mac(key, &[body]))),
        Scheme::StampedBase64 => format!("t={seconds},v1={}", STANDARD.encode(stamped(key, seconds, body))),
        Scheme::StampedHex => {
            let name = HeaderName::try_from(format.timestamp_header())?;
            headers.insert(name, HeaderValue::from(seconds));
            format!("sha256={}", hex::encode(stamped(key, seconds, body)))
        }
    };
    headers.insert(HeaderName::try_from(format.header())?, HeaderValue::try_from(signature)?);
    Ok(headers)
}

fn stamped(key: &[u8], seconds: i64, body: &[u8]) -> Vec<u8> {
    mac(key, &[seconds.to_string().as_bytes(), b".", body])
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(scheme: Scheme, header: &str) -> (String, Option<String>) {
        let format = Format { scheme, ..Format::default() };
        let headers = headers(&format, b"Jefe", 1_700_000_000, b"what do ya want for nothing?").unwrap();
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (text(header).unwrap(), text("x-fastio-timestamp"))
    }

    #[test]
    fn body_alone() {
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature(Scheme::BodyHex, "fastio-signature"), (expected.to_owned(), None));
    }

    #[test]
    fn body_and_time() {
        // Computed with OpenSSL: `printf '1700000000.what do ya want for nothing?' | openssl dgst -sha256 -hmac Jefe`.
        let (hex, base64) = (STAMPED_HEX, STANDARD.encode(hex::decode(STAMPED_HEX).unwrap()));
        assert_eq!(
            signature(Scheme::StampedBase64, "fastio-signature").0,
            format!("t=1700000000,v1={base64}")
        );
        let expected = (format!("sha256={hex}"), Some("1700000000".to_owned()));
        assert_eq!(signature(Scheme::StampedHex, "x-fastio-signature"), expected);
    }

    const STAMPED_HEX: &str = "1cdd0650c8be1cb0974b1788d458b1e781206cfef59b85faafc582d2e182c57e";
}
