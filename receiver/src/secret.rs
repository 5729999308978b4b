//! The signing secrets, from files that are read again.
//!
//! The directory is a mounted Secret: `current` is the secret that the sender uses, `previous` the one before it while a
//! rotation is under way. A signature by either is good.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fastio::signature::{Scheme, SecretError, SigningSecret, Verifier, VerifierError};
use fastio_service::Condition;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. The kubelet itself takes up to a minute to bring a changed Secret.
const POLL: Duration = Duration::from_secs(2);

/// Why nothing can be accepted.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// No `current`, or it cannot be read.
    #[error("the signing secret {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Too short to be a secret.
    #[error("{}: {source}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: SecretError,
    },
    /// The secrets do not make a verifier.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
}

/// The live secrets of a webhook.
#[derive(Debug)]
pub struct Secrets {
    dir: PathBuf,
    scheme: Scheme,
    state: RwLock<State>,
    loaded: Condition,
}

#[derive(Debug, Default)]
struct State {
    verifier: Option<Arc<Verifier>>,
    /// What was logged last, so that only news is logged.
    described: String,
}

impl Secrets {
    /// Reads the secrets once. `loaded` follows whether there is a usable one.
    #[must_use]
    pub fn open(dir: PathBuf, scheme: Scheme, loaded: Condition) -> Self {
        let secrets = Self { dir, scheme, state: RwLock::default(), loaded };
        secrets.reload();
        secrets
    }

    /// Verifies by the live secrets, or `None` if there is none. Then nothing may be accepted.
    #[must_use]
    pub fn verifier(&self) -> Option<Arc<Verifier>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).verifier.clone()
    }

    /// Follows the files until `stop` is cancelled.
    pub async fn watch(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            self.reload();
        }
    }

    /// Reads the files and puts what they hold in place.
    fn reload(&self) {
        let (verifier, description) = match load(&self.dir, self.scheme) {
            Ok(Loaded { verifier, ignored: None }) => {
                let description = format!("signing secret loaded: {verifier:?}");
                (Some(verifier), description)
            }
            Ok(Loaded { verifier, ignored: Some(problem) }) => {
                (Some(verifier), format!("the previous signing secret is not used: {problem}"))
            }
            Err(problem) => (None, format!("{problem}; until there is one, deliveries are answered 503")),
        };
        self.loaded.set(verifier.is_some());
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.described != description {
            if verifier.is_some() {
                tracing::info!("{description}");
            } else {
                tracing::error!("{description}");
            }
        }
        *state = State { verifier: verifier.map(Arc::new), described: description };
    }
}

struct Loaded {
    verifier: Verifier,
    ignored: Option<SecretProblem>,
}

fn load(dir: &Path, scheme: Scheme) -> Result<Loaded, SecretProblem> {
    let current = read(&dir.join("current"))?;
    let (previous, ignored) = match read(&dir.join("previous")) {
        Ok(secret) => (Some(secret), None),
        Err(SecretProblem::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => (None, None),
        // An empty file is how a template says "none".
        Err(SecretProblem::Secret { source: SecretError::TooShort(0), .. }) => (None, None),
        // What counts is the secret of today; the one of yesterday must not take it down.
        Err(problem) => (None, Some(problem)),
    };
    let verifier = Verifier::new(scheme, std::iter::once(current).chain(previous))?;
    Ok(Loaded { verifier, ignored })
}

fn read(path: &Path) -> Result<SigningSecret, SecretProblem> {
    let bytes =
        std::fs::read(path).map_err(|source| SecretProblem::File { path: path.to_owned(), source })?;
    // A newline at the end comes from an editor or from `echo`; no sender has it in its secret.
    let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    SigningSecret::new(secret).map_err(|source| SecretProblem::Secret { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use fastio::signature::sign;
    use fastio_service::Health;

    use super::*;

    const OLD: &str = "an old secret of some length";
    const NEW: &str = "a new secret of some length";

    fn accepts(secrets: &Secrets, secret: &str) -> bool {
        let header = sign(&SigningSecret::new(secret).unwrap(), b"body");
        secrets.verifier().is_some_and(|v| v.verify(Some(header.as_bytes()), b"body").is_ok())
    }

    #[test]
    fn a_rotation_is_followed_and_nothing_is_ever_open() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let health = Health::new();
        let loaded = health.condition("signing secret loaded");
        let secrets = Secrets::open(dir.path().to_owned(), Scheme::GuideHex, loaded.clone());
        assert!(secrets.verifier().is_none() && !loaded.is_met());

        for unusable in ["", "short", "\n"] {
            write("current", unusable);
            secrets.reload();
            assert!(secrets.verifier().is_none() && !loaded.is_met(), "{unusable:?}");
        }

        write("current", &format!("{OLD}\n"));
        secrets.reload();
        assert!(loaded.is_met() && accepts(&secrets, OLD) && !accepts(&secrets, NEW));

        write("previous", OLD);
        write("current", NEW);
        secrets.reload();
        assert!(accepts(&secrets, OLD) && accepts(&secrets, NEW));

        write("previous", "");
        secrets.reload();
        assert!(!accepts(&secrets, OLD) && accepts(&secrets, NEW));

        std::fs::remove_file(dir.path().join("current")).unwrap();
        secrets.reload();
        assert!(secrets.verifier().is_none() && !loaded.is_met());
    }
}
