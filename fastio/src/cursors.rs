//! Positions that the service hands out. They mean something to the service only: keep them, send them back.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::Value;

macro_rules! cursor {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The position as the service wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text or a number; nothing and the empty text are no position.
            pub(crate) fn read(value: Option<&Value>) -> Option<Self> {
                match value? {
                    Value::String(text) if !text.is_empty() => Some(Self(text.clone())),
                    Value::Number(number) => Some(Self(number.to_string())),
                    _ => None,
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                Self::read(Some(&value)).ok_or_else(|| D::Error::custom("a position must be a text that is not empty"))
            }
        }
    };
}

cursor! {
    /// Where the next page of a folder or of an inventory starts. Good for the same list only.
    PageCursor
}
cursor! {
    /// A position in the change feed of an organisation. Bound to the key's user; it expires.
    ChangeCursor
}
cursor! {
    /// The moment up to which activity was seen.
    ActivityMark
}

/// Where the next page of an event search starts. Good for the same search only.
///
/// The newest service gives a cursor; the one that the official CLI 0.2.13 was made for counts rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, DeriveDeserialize)]
#[serde(transparent)]
pub struct EventCursor(pub(crate) EventPosition);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, DeriveDeserialize)]
#[serde(untagged)]
pub(crate) enum EventPosition {
    Offset(u64),
    Cursor(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_being_stored() {
        let page: PageCursor = serde_json::from_str("\"c/1=\"").unwrap();
        assert_eq!(page.as_str(), "c/1=");
        assert_eq!(serde_json::to_string(&page).unwrap(), "\"c/1=\"");
        let mark: ActivityMark = serde_json::from_str("1778144887").unwrap();
        assert_eq!(mark.as_str(), "1778144887");
        for text in ["\"\"", "null", "{}", "[\"a\"]"] {
            assert!(serde_json::from_str::<ChangeCursor>(text).is_err(), "{text}");
        }
        for text in ["\"opaque==\"", "250"] {
            let cursor: EventCursor = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&cursor).unwrap(), text);
        }
    }
}
