//! Identifiers of the service, as opaque text.
//!
//! The service's own guides contradict each other about the length and the first letter of ids, and the newest one
//! (SKILL v2.92) says: never infer a kind from a prefix, never reject on length. So only the character set and a generous
//! length are checked. Both hold for every form seen in public material.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// Longest id that is accepted, in bytes. The longest form seen in public material has 36.
pub const MAX_ID_LEN: usize = 128;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty, or has no letter and no digit.
    #[error("{kind} is empty: give the id as Fast.io shows it")]
    Empty {
        /// The name of the id's type.
        kind: &'static str,
    },
    /// The text is longer than [`MAX_ID_LEN`].
    #[error("{kind} has {len} characters, at most {MAX_ID_LEN} are allowed")]
    TooLong {
        /// The name of the id's type.
        kind: &'static str,
        /// Length of the text in bytes.
        len: usize,
    },
    /// The text has a character that no id has.
    #[error("{kind} has the character {found:?}, only letters, digits, '-' and '_' are allowed")]
    Character {
        /// The name of the id's type.
        kind: &'static str,
        /// The first such character.
        found: char,
    },
}

fn check(kind: &'static str, text: &str) -> Result<(), IdError> {
    if text.len() > MAX_ID_LEN {
        return Err(IdError::TooLong { kind, len: text.len() });
    }
    if let Some(found) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))) {
        return Err(IdError::Character { kind, found });
    }
    if text.bytes().any(|b| b.is_ascii_alphanumeric()) { Ok(()) } else { Err(IdError::Empty { kind }) }
}

/// The bytes that decide about equality: all of them.
fn exact(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes()
}

/// The bytes that decide about equality of opaque ids: some replies show them grouped by hyphens, some do not.
fn without_hyphens(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().filter(|b| *b != b'-')
}

/// Reads an id from a JSON string or a JSON integer: profile ids come in both forms.
struct IdVisitor<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = IdError>> Visitor<'_> for IdVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id as a string or an unsigned integer")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $key:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(String);

        impl $name {
            /// The id as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                check(stringify!($name), text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                check(stringify!($name), &text)?;
                Ok(Self(text))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $key(&self.0).eq($key(&other.0))
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                $key(&self.0).cmp($key(&other.0))
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                for byte in $key(&self.0) {
                    state.write_u8(byte);
                }
                // Ends the text, so that two ids in a row never hash like another pair.
                state.write_u8(0xff);
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(IdVisitor(std::marker::PhantomData))
            }
        }
    };
}

id! {
    /// A workspace: 19 decimal digits, or the workspace's `folder_name`, which the service accepts in its place.
    WorkspaceId, exact
}
id! {
    /// An organisation: 19 decimal digits.
    OrgId, exact
}
id! {
    /// A user (also the "profile" that wrote a comment or made a file): 19 decimal digits.
    UserId, exact
}
id! {
    /// A file, folder, note or link of a workspace. Compared without hyphens.
    NodeId, without_hyphens
}
id! {
    /// One version of a file's content. Compared without hyphens.
    VersionId, without_hyphens
}
id! {
    /// An upload session. Compared without hyphens.
    UploadId, without_hyphens
}
id! {
    /// A comment. Compared without hyphens.
    CommentId, without_hyphens
}
id! {
    /// A registered webhook (guide dialect).
    WebhookId, exact
}
id! {
    /// A webhook subscription of the retired API. Compared without hyphens.
    SubscriptionId, without_hyphens
}
id! {
    /// An event of the event log. Compared without hyphens.
    EventId, without_hyphens
}

impl NodeId {
    /// The literal id of a workspace's top folder.
    #[must_use]
    pub fn root() -> Self {
        Self("root".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    #[test]
    fn ids_in_every_published_form_are_accepted() {
        for text in [
            "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4",
            "2ltsuq4mjacuv7pgc5ydlxnsjwee4",
            "f3jm5-zqzfx-pxdr2-dx8z5-bvnb3-rpjfm4",
            "root",
        ] {
            assert_eq!(text.parse::<NodeId>().unwrap().to_string(), text);
        }
        assert!("1234567890123456789".parse::<WorkspaceId>().is_ok());
        assert!("studio_raw-files".parse::<WorkspaceId>().is_ok());
        assert!("a".repeat(MAX_ID_LEN).parse::<NodeId>().is_ok());
    }

    #[test]
    fn text_that_could_change_a_path_is_refused_with_the_reason() {
        for text in ["../etc", "a/b", "a b", "a%2fb", "a?b", "a\nb", "ä", "."] {
            assert!(matches!(text.parse::<NodeId>(), Err(IdError::Character { .. })), "{text}");
        }
        for text in ["", "-", "__"] {
            assert_eq!(text.parse::<NodeId>(), Err(IdError::Empty { kind: "NodeId" }), "{text}");
        }
        let long = "a".repeat(MAX_ID_LEN + 1).parse::<UploadId>().unwrap_err();
        assert_eq!(long.to_string(), "UploadId has 129 characters, at most 128 are allowed");
    }

    #[test]
    fn opaque_ids_are_equal_and_hash_equal_without_hyphens() {
        let shown: NodeId = "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4".parse().unwrap();
        let raw: NodeId = "2ltsuq4mjacuv7pgc5ydlxnsjwee4".parse().unwrap();
        assert_eq!(shown, raw);
        assert_eq!(HashSet::from([shown.clone(), raw.clone()]).len(), 1);
        assert_eq!(BTreeSet::from([shown, raw]).len(), 1);
    }

    #[test]
    fn workspace_names_keep_their_hyphens() {
        let a: WorkspaceId = "raw-files".parse().unwrap();
        let b: WorkspaceId = "rawfiles".parse().unwrap();
        assert_ne!(a, b);
    }

    #[test]
    fn json_gives_ids_as_strings_or_integers() {
        let text: UserId = serde_json::from_str("\"1234567890123456789\"").unwrap();
        let number: UserId = serde_json::from_str("1234567890123456789").unwrap();
        assert_eq!(text, number);
        assert_eq!(serde_json::to_string(&number).unwrap(), "\"1234567890123456789\"");
        assert!(serde_json::from_str::<UserId>("-1").is_err());
        assert!(serde_json::from_str::<UserId>("\"a/b\"").is_err());
    }
}
