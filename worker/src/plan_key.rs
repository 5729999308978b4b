//! The key of the seals, in a file.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use fastio_pipeline::seal::{PlanKey, ShortKey};

/// How long a claim is tried again that is not authentic, counted from when it was first scheduled. After a
/// `FastioWebhook` was made anew, its plan key is another one, and a pod may see the old Secret for some minutes more.
pub const KEY_GRACE: Duration = Duration::from_mins(10);

/// Where the plan key is. Read again for each seal, as the intake does: a mounted Secret changes under a running process.
#[derive(Debug, Clone)]
pub struct PlanKeyFile(PathBuf);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum PlanKeyError {
    /// The file cannot be read.
    #[error("the plan key cannot be read from {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file holds no key.
    #[error("{}: {source}", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ShortKey,
    },
}

impl PlanKeyFile {
    /// The key in this file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The key as it is now. White space at the end is not part of it.
    pub fn read(&self) -> Result<PlanKey, PlanKeyError> {
        let path = || self.0.clone();
        let key = std::fs::read(&self.0).map_err(|source| PlanKeyError::Read { path: path(), source })?;
        PlanKey::new(key.trim_ascii_end()).map_err(|source| PlanKeyError::Short { path: path(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEALED_FOR: &str = "fastio:run:media/photos:2a:3a";

    #[test]
    fn a_key_that_changes_is_the_key_from_then_on() {
        let file = serde_json::json!({"workspace": "1", "id": "2a", "version": "3a", "name": "beach.jpg", "folder": [], "size": 1});
        let request = crate::world::request(&serde_json::from_value(file).unwrap());
        let sealed = PlanKey::new(&[b'n'; 32]).unwrap().seal(&request).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = PlanKeyFile::new(path.clone());
        assert!(matches!(key.read(), Err(PlanKeyError::Read { .. })));
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(key.read(), Err(PlanKeyError::Short { .. })));
        std::fs::write(&path, "o".repeat(32)).unwrap();
        assert!(key.read().unwrap().open(&sealed, SEALED_FOR).is_err());
        std::fs::write(&path, "n".repeat(32) + "\n").unwrap();
        assert_eq!(key.read().unwrap().open(&sealed, SEALED_FOR).unwrap(), request);
    }
}
