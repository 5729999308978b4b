//! Identifiers in the forms of the real service.
//!
//! Two families exist (captured responses of May 2026): profile ids of organisations, workspaces
//! and users are 19 decimal digits; opaque ids of everything else are 29 (some families 30)
//! base32 characters shown in groups of five, whose first character names the kind.

use std::fmt;

use rand::RngExt as _;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const GROUP: usize = 5;
/// Generous: the real service advises never to judge an id by its length.
const LONGEST_OPAQUE: usize = 64;

/// The text of an id contains characters that no opaque id has.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an opaque id")]
pub(crate) struct MalformedId(String);

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(String);

        impl $name {
            #[allow(dead_code, reason = "not every kind of id is needed as text")]
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                String::column_result(value).map(Self)
            }
        }
    };
}

macro_rules! opaque_id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $length:literal) => {
        id_type!($(#[$doc])* $name);

        impl $name {
            pub(crate) fn random() -> Self {
                Self(hyphenate(&random_base32($prefix, $length)))
            }

            /// Accepts the id with or without its hyphens, as the real service does.
            #[allow(dead_code, reason = "not every kind of id comes from a client")]
            pub(crate) fn parse(text: &str) -> Result<Self, MalformedId> {
                canonical(text).map(Self)
            }
        }
    };
}

id_type!(
    /// Organisation, workspace or user: 19 decimal digits.
    ProfileId
);
opaque_id_type!(
    /// File, folder or link.
    NodeId, "2", 29
);
opaque_id_type!(
    /// One version of the bytes of a file.
    VersionId, "3", 29
);
opaque_id_type!(
    /// Upload session, and a batch of them.
    UploadId, "5", 29
);
opaque_id_type!(
    /// The metadata of a node after a change.
    MetadataVersionId, "c", 29
);
opaque_id_type!(
    /// Comment. Families with a two-letter prefix have 30 characters.
    CommentId, "ca", 30
);
opaque_id_type!(
    /// Webhook registration of either dialect; the prefix is the one of the retired
    /// `outbound_webhook_subscriptions` API.
    WebhookId, "wm", 30
);
id_type!(
    /// Event: `evt-` and 26 base32 characters. The guide shows the prefix; no source shows the
    /// form that the events API uses, so events search, change feed and webhooks share this one.
    EventId
);

impl ProfileId {
    pub(crate) fn random() -> Self {
        Self(rand::rng().random_range(1_000_000_000_000_000_000_u64..=8_999_999_999_999_999_999).to_string())
    }

    /// `None` unless the text is 19 decimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        (text.len() == 19 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| Self(text.to_owned()))
    }
}

impl EventId {
    pub(crate) fn random() -> Self {
        Self(random_base32("evt-", 30))
    }
}

/// `length` characters, of which the first are `prefix`.
pub(crate) fn random_base32(prefix: &str, length: usize) -> String {
    let mut rng = rand::rng();
    let mut text = String::with_capacity(length);
    text.push_str(prefix);
    while text.len() < length {
        let letter = BASE32.get(rng.random_range(0..BASE32.len())).copied().unwrap_or(b'a');
        text.push(char::from(letter));
    }
    text
}

fn hyphenate(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len() + raw.len() / GROUP);
    for (position, letter) in raw.chars().enumerate() {
        if position > 0 && position % GROUP == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

fn canonical(text: &str) -> Result<String, MalformedId> {
    let raw: String = text.chars().filter(|&letter| letter != '-').collect();
    let plausible = !raw.is_empty()
        && raw.len() <= LONGEST_OPAQUE
        && raw.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if plausible { Ok(hyphenate(&raw)) } else { Err(MalformedId(text.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_ids_have_the_displayed_lengths() {
        assert_eq!(NodeId::random().as_str().len(), 34);
        assert!(NodeId::random().as_str().starts_with('2'));
        assert_eq!(CommentId::random().as_str().len(), 35);
        assert_eq!(ProfileId::random().as_str().len(), 19);
    }

    #[test]
    fn hyphens_do_not_matter() {
        let id = NodeId::random();
        let bare = id.as_str().replace('-', "");
        assert_eq!(NodeId::parse(&bare).unwrap(), id);
        assert!(NodeId::parse("../etc").is_err());
        assert!(NodeId::parse("").is_err());
    }
}
