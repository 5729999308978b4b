//! The API key: what it may look like and where it comes from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;

/// Longest key that is accepted, in bytes. Session tokens, which are sent the same way, stay well below.
const MAX_KEY_LEN: usize = 16 * 1024;

/// Why there is no usable API key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing but white space.
    #[error("the API key is empty: create one at https://go.fast.io/settings/api-keys")]
    Empty,
    /// A space, control character or non-ASCII character inside.
    #[error(
        "the API key has a space, control or non-ASCII character inside: store the key alone, as Fast.io showed it"
    )]
    Character,
    /// More than 16 KiB.
    #[error("the API key is longer than {MAX_KEY_LEN} bytes: store the key alone, as Fast.io showed it")]
    TooLong,
    /// The file that should hold the key cannot be read.
    #[error("the API key file {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

/// A key (or OAuth access token, or session token: all are sent as `Authorization: Bearer`). Never shown, wiped
/// from memory when dropped.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Takes a key as text; white space around it (a trailing newline in a file) is dropped.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > MAX_KEY_LEN {
            return Err(KeyError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError::Character);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// The key itself, for the one header it belongs into.
    pub(crate) fn into_secret(self) -> SecretString {
        self.0
    }
}

impl FromStr for ApiKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([REDACTED])")
    }
}

/// Where a client takes its key from.
#[derive(Debug, Clone)]
pub enum ApiKeySource {
    /// One key for the life of the client.
    Static(ApiKey),
    /// A file that is read again for each call: a rotated key in a mounted Secret counts with no restart.
    File(PathBuf),
}

impl ApiKeySource {
    /// The key as it is now.
    pub async fn load(&self) -> Result<ApiKey, KeyError> {
        match self {
            Self::Static(key) => Ok(key.clone()),
            Self::File(path) => {
                let text =
                    read(path).await.map_err(|source| KeyError::File { path: path.clone(), source })?;
                ApiKey::new(text.expose_secret())
            }
        }
    }
}

async fn read(path: &Path) -> io::Result<SecretString> {
    // One byte more than is allowed, so that a longer file is noticed instead of cut.
    let limit = u64::try_from(MAX_KEY_LEN).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = String::new();
    tokio::fs::File::open(path).await?.take(limit).read_to_string(&mut text).await?;
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_trimmed_and_never_shown() {
        let key = ApiKey::new("  fastio-secret-key\n").unwrap();
        assert_eq!(key.0.expose_secret(), "fastio-secret-key");
        assert_eq!(format!("{key:?}"), "ApiKey([REDACTED])");
        assert!(!format!("{:?}", ApiKeySource::Static(key)).contains("secret-key"));
    }

    #[test]
    fn what_cannot_be_a_header_is_refused() {
        assert!(matches!(ApiKey::new(" \n"), Err(KeyError::Empty)));
        for text in ["a\nb", "a b", "a\u{0}b", "schl\u{fc}ssel", "a\r\nX: y"] {
            assert!(matches!(ApiKey::new(text), Err(KeyError::Character)), "{text:?}");
        }
        assert!(matches!(ApiKey::new(&"k".repeat(MAX_KEY_LEN + 1)), Err(KeyError::TooLong)));
    }

    #[tokio::test]
    async fn a_file_is_read_again_for_each_call() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("apiKey");
        let source = ApiKeySource::File(path.clone());
        let missing = source.load().await.unwrap_err().to_string();
        assert!(missing.contains("apiKey cannot be read"), "{missing}");

        std::fs::write(&path, "first\n").unwrap();
        assert_eq!(source.load().await.unwrap().0.expose_secret(), "first");
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(source.load().await.unwrap().0.expose_secret(), "second");
        std::fs::write(&path, "k".repeat(MAX_KEY_LEN + 10)).unwrap();
        assert!(matches!(source.load().await, Err(KeyError::TooLong)));
    }
}
