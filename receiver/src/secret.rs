//! The signing secrets, from files that are read again.
//!
//! The directory is a mounted Secret: `current` is the secret that the sender uses, `previous` the one before it while a
//! rotation is under way. A signature by either is good.
//!
//! A file that is gone or holds no secret counts at once: that is how a secret is taken back. A file that cannot be read at the
//! moment says nothing about the secret, so what it held last stays in use.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fastio::signature::{Scheme, SecretEncoding, SecretError, SigningSecret, Verifier, VerifierError};
use fastio_service::Condition;
use secrecy::zeroize::Zeroizing;
use tokio_util::sync::CancellationToken;
use tracing::Level;

/// How often the files are looked at. The kubelet itself takes up to a minute to bring a changed Secret.
const POLL: Duration = Duration::from_secs(2);

/// Why nothing can be accepted.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// The file does not exist.
    #[error("there is no signing secret {}: put it into the Secret that is mounted there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file exists for all we know and cannot be read at the moment.
    #[error("the signing secret {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Empty, too short, or not in the configured encoding.
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
    encoding: SecretEncoding,
    state: RwLock<State>,
    loaded: Condition,
}

#[derive(Debug, Default)]
struct State {
    verifier: Option<Arc<Verifier>>,
    /// What the files held when they could be read last.
    read: Files,
    /// What was logged last, so that only news is logged.
    described: String,
}

#[derive(Debug, Default, Clone)]
struct Files {
    current: Option<SigningSecret>,
    previous: Option<SigningSecret>,
}

impl Secrets {
    /// Reads the secrets once. `loaded` follows whether there is a usable one.
    #[must_use]
    pub fn open(dir: PathBuf, scheme: Scheme, encoding: SecretEncoding, loaded: Condition) -> Self {
        let secrets = Self { dir, scheme, encoding, state: RwLock::default(), loaded };
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
        let read_last = self.state.read().unwrap_or_else(PoisonError::into_inner).read.clone();
        let (verifier, read, level, description) = match self.load(read_last) {
            Ok(Loaded { verifier, read, problem: None }) => {
                let description = format!("signing secret loaded: {verifier:?}");
                (Some(verifier), read, Level::INFO, description)
            }
            Ok(Loaded { verifier, read, problem: Some(problem) }) => {
                (Some(verifier), read, Level::WARN, problem)
            }
            Err(problem) => {
                let description = format!("{problem}; until there is one, deliveries are answered 503");
                (None, Files::default(), Level::ERROR, description)
            }
        };
        self.loaded.set(verifier.is_some());
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.described != description {
            match level {
                Level::INFO => tracing::info!("{description}"),
                Level::WARN => tracing::warn!("{description}"),
                _ => tracing::error!("{description}"),
            }
        }
        *state = State { verifier: verifier.map(Arc::new), read, described: description };
    }

    fn load(&self, read_last: Files) -> Result<Loaded, SecretProblem> {
        let kept = |problem| Some(format!("{problem}; what it held before stays in use"));
        let (current, problem) = match (self.read("current"), read_last.current) {
            (Ok(secret), _) => (secret, None),
            (Err(problem @ SecretProblem::Unreadable { .. }), Some(last)) => (last, kept(problem)),
            (Err(problem), _) => return Err(problem),
        };
        let (previous, previous_problem) = match (self.read("previous"), read_last.previous) {
            (Ok(secret), _) => (Some(secret), None),
            // An empty file is how a template says "none".
            (
                Err(SecretProblem::Missing { .. } | SecretProblem::Secret { source: SecretError::Empty, .. }),
                _,
            ) => (None, None),
            (Err(problem @ SecretProblem::Unreadable { .. }), Some(last)) => (Some(last), kept(problem)),
            // What counts is the secret of today; the one of yesterday must not take it down.
            (Err(problem), _) => (None, Some(format!("the previous signing secret is not used: {problem}"))),
        };
        let verifier =
            Verifier::new(self.scheme.clone(), std::iter::once(current.clone()).chain(previous.clone()))?;
        let read = Files { current: Some(current), previous };
        Ok(Loaded { verifier, read, problem: problem.or(previous_problem) })
    }

    fn read(&self, name: &str) -> Result<SigningSecret, SecretProblem> {
        let path = self.dir.join(name);
        let bytes = match settled(|| std::fs::read(&path)) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return Err(SecretProblem::Missing { path });
            }
            Err(source) => return Err(SecretProblem::Unreadable { path, source }),
        };
        // A newline at the end comes from an editor or from `echo`; no sender has it in its secret.
        let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        SigningSecret::decode(secret, self.encoding).map_err(|source| SecretProblem::Secret { path, source })
    }
}

/// Reads again if a file is not there. The kubelet puts a changed Secret in place by pointing a symbolic link to a new directory
/// and removing the old one: who has followed the link just before finds nothing, and the second time the new file.
fn settled<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => read(),
        outcome => outcome,
    }
}

struct Loaded {
    verifier: Verifier,
    read: Files,
    /// What is not as it should be, although there is a verifier.
    problem: Option<String>,
}

#[cfg(test)]
mod tests;
