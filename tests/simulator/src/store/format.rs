//! How the deliveries of an endpoint look. The service documents no delivery format; its guide and
//! its articles describe three signatures and two payloads, and an endpoint has one of each.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// What is signed, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    /// `sha256=` and the hexadecimal HMAC of the body, as in the guide.
    #[default]
    #[serde(alias = "A")]
    BodyHex,
    /// `t=SECONDS,v1=` and the base64 HMAC of `SECONDS.body`.
    #[serde(alias = "B")]
    StampedBase64,
    /// `sha256=` and the hexadecimal HMAC of `SECONDS.body`; the seconds have a header of their own.
    #[serde(alias = "C")]
    StampedHex,
}

impl Scheme {
    /// Header of the signature where the endpoint names none.
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::BodyHex | Self::StampedBase64 => "Fastio-Signature",
            Self::StampedHex => "X-Fastio-Signature",
        }
    }
}

/// How the text of a secret becomes the key of the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SecretEncoding {
    /// The bytes of the text.
    #[default]
    Raw,
    Hex,
    Base64,
    /// `whsec_` and base64.
    Whsec,
}

/// The text of a secret is not in its encoding.
#[derive(Debug, thiserror::Error)]
#[error("`secret` is not {0}")]
pub(crate) struct MalformedSecret(&'static str);

impl SecretEncoding {
    pub(crate) fn key(self, secret: &str) -> Result<Vec<u8>, MalformedSecret> {
        match self {
            Self::Raw => Ok(secret.as_bytes().to_vec()),
            Self::Hex => hex::decode(secret).map_err(|_| MalformedSecret("hexadecimal")),
            Self::Base64 => STANDARD.decode(secret).map_err(|_| MalformedSecret("base64")),
            Self::Whsec => secret
                .strip_prefix("whsec_")
                .and_then(|encoded| STANDARD.decode(encoded).ok())
                .ok_or(MalformedSecret("`whsec_` and base64")),
        }
    }
}

/// The keys of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PayloadStyle {
    /// `eventType`, `workspaceId`, `fileId` …, as in the guide.
    #[default]
    Guide,
    /// `event`, `workspace_id`, `object_id` …, as in the events API.
    Events,
}

/// The names of events in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EventNames {
    /// `upload`
    Guide,
    /// `file.uploaded`
    Dotted,
    /// `workspace_storage_file_added`
    Service,
}

/// All of it, and when the endpoint is suspended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Format {
    pub(crate) scheme: Scheme,
    /// By default that of the scheme.
    pub(crate) header: Option<String>,
    /// By default `X-Fastio-Timestamp`; only `stamped-hex` has one.
    pub(crate) timestamp_header: Option<String>,
    pub(crate) secret_encoding: SecretEncoding,
    pub(crate) payload: PayloadStyle,
    /// By default those of the payload's style.
    pub(crate) event_names: Option<EventNames>,
    /// Failed attempts in a row after which the endpoint is disabled; 0 is never, the default
    /// is that of the settings.
    pub(crate) suspend_after: Option<u32>,
}

impl Format {
    pub(crate) fn header(&self) -> &str {
        self.header.as_deref().unwrap_or(self.scheme.header())
    }

    pub(crate) fn timestamp_header(&self) -> &str {
        self.timestamp_header.as_deref().unwrap_or("X-Fastio-Timestamp")
    }

    pub(crate) fn event_names(&self) -> EventNames {
        self.event_names.unwrap_or(match self.payload {
            PayloadStyle::Guide => EventNames::Guide,
            PayloadStyle::Events => EventNames::Service,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_key() {
        let key = b"twelve bytes".to_vec();
        for (encoding, text) in [
            (SecretEncoding::Raw, "twelve bytes".to_owned()),
            (SecretEncoding::Hex, hex::encode(&key)),
            (SecretEncoding::Base64, STANDARD.encode(&key)),
            (SecretEncoding::Whsec, format!("whsec_{}", STANDARD.encode(&key))),
        ] {
            assert_eq!(encoding.key(&text).unwrap(), key, "{encoding:?}");
        }
        assert!(SecretEncoding::Whsec.key(&STANDARD.encode(&key)).is_err());
        assert!(SecretEncoding::Hex.key("xyz").is_err());
    }

    #[test]
    fn the_letters_of_the_schemes_are_names_too() {
        let format: Format = serde_json::from_str(r#"{"scheme": "C", "payload": "events"}"#).unwrap();
        assert_eq!((format.header(), format.event_names()), ("X-Fastio-Signature", EventNames::Service));
    }
}
