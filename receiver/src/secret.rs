//! The signing secrets, from files that are read again.
//!
//! The directory is a mounted Secret: `current` is the secret that the sender uses, `previous` the one before it while a
//! rotation is under way. A signature by either is good.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fastio::signature::{Scheme, SecretEncoding, SecretError, SigningSecret, Verifier, VerifierError};
use fastio_service::Condition;
use secrecy::zeroize::Zeroizing;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. The kubelet itself takes up to a minute to bring a changed Secret.
const POLL: Duration = Duration::from_secs(2);

/// Why nothing can be accepted.
#[derive(Debug, thiserror::Error)]
pub enum SecretProblem {
    /// No `current`, or it cannot be read.
    #[error("the signing secret {} cannot be read ({source}): put it into the Secret that is mounted there", path.display())]
    File {
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
    /// What was logged last, so that only news is logged.
    described: String,
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
        let (verifier, description) = match self.load() {
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

    fn load(&self) -> Result<Loaded, SecretProblem> {
        let current = self.read("current")?;
        let (previous, ignored) = match self.read("previous") {
            Ok(secret) => (Some(secret), None),
            Err(SecretProblem::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                (None, None)
            }
            // An empty file is how a template says "none".
            Err(SecretProblem::Secret { source: SecretError::Empty, .. }) => (None, None),
            // What counts is the secret of today; the one of yesterday must not take it down.
            Err(problem) => (None, Some(problem)),
        };
        let verifier = Verifier::new(self.scheme.clone(), std::iter::once(current).chain(previous))?;
        Ok(Loaded { verifier, ignored })
    }

    fn read(&self, name: &str) -> Result<SigningSecret, SecretProblem> {
        let path = self.dir.join(name);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(source) => return Err(SecretProblem::File { path, source }),
        };
        // A newline at the end comes from an editor or from `echo`; no sender has it in its secret.
        let secret = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        SigningSecret::decode(secret, self.encoding).map_err(|source| SecretProblem::Secret { path, source })
    }
}

struct Loaded {
    verifier: Verifier,
    ignored: Option<SecretProblem>,
}

#[cfg(test)]
mod tests {
    use fastio::signature::BodyHex;
    use fastio_service::Health;
    use jiff::Timestamp;

    use super::*;

    const OLD: &str = "an old secret of some length";
    const NEW: &str = "a new secret of some length";

    fn accepts(secrets: &Secrets, secret: &str) -> bool {
        let now = Timestamp::now();
        let headers =
            Scheme::from(BodyHex::default()).sign(&SigningSecret::new(secret).unwrap(), b"body", now);
        secrets.verifier().is_some_and(|verifier| verifier.verify(&headers, b"body", now).is_ok())
    }

    struct Mount {
        dir: tempfile::TempDir,
        loaded: Condition,
        secrets: Secrets,
    }

    impl Mount {
        fn new(encoding: SecretEncoding) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let loaded = Health::new().condition("signing secret loaded");
            let scheme = BodyHex::default().into();
            let secrets = Secrets::open(dir.path().to_owned(), scheme, encoding, loaded.clone());
            Self { dir, loaded, secrets }
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.dir.path().join(name), text).unwrap();
            self.secrets.reload();
        }

        fn is_open(&self) -> bool {
            let is_open = self.secrets.verifier().is_some();
            assert_eq!(self.loaded.is_met(), is_open);
            is_open
        }

        fn described(&self) -> String {
            self.secrets.state.read().unwrap().described.clone()
        }
    }

    #[test]
    fn a_rotation_is_followed() {
        let mount = Mount::new(SecretEncoding::Raw);
        mount.write("current", &format!("{OLD}\r\n"));
        assert!(mount.is_open() && accepts(&mount.secrets, OLD) && !accepts(&mount.secrets, NEW));

        mount.write("previous", OLD);
        mount.write("current", NEW);
        assert!(mount.is_open() && accepts(&mount.secrets, OLD) && accepts(&mount.secrets, NEW));

        mount.write("previous", "short");
        assert!(mount.is_open() && !accepts(&mount.secrets, OLD) && accepts(&mount.secrets, NEW));
        assert!(mount.described().contains("previous signing secret is not used"), "{}", mount.described());

        mount.write("previous", "");
        assert!(mount.is_open() && !accepts(&mount.secrets, OLD) && accepts(&mount.secrets, NEW));

        std::fs::remove_file(mount.dir.path().join("current")).unwrap();
        mount.secrets.reload();
        assert!(!mount.is_open());
    }

    #[test]
    fn nothing_is_ever_open_and_the_log_says_what_to_do() {
        let raw = Mount::new(SecretEncoding::Raw);
        assert!(!raw.is_open());
        assert!(raw.described().contains("put it into the Secret"), "{}", raw.described());
        for (encoding, text, expected) in [
            (SecretEncoding::Raw, "", "is empty"),
            (SecretEncoding::Raw, "\n", "is empty"),
            (SecretEncoding::Raw, "too-short", "openssl rand -hex 32"),
            (SecretEncoding::Hex, "0badcafe", "has 4 bytes"),
            (SecretEncoding::Hex, "not hexadecimal at all!!", "the encoding is raw"),
            (SecretEncoding::Base64, "not base64 either, is it", "the encoding is raw"),
            (SecretEncoding::Whsec, "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "the encoding is base64"),
            (SecretEncoding::Whsec, "whsec_", "is empty"),
        ] {
            let mount = Mount::new(encoding);
            mount.write("current", text);
            assert!(!mount.is_open(), "{text:?}");
            let described = mount.described();
            assert!(described.contains(expected) && described.contains("503"), "{described}");
            let shown = text.trim();
            assert!(shown.is_empty() || shown == "whsec_" || !described.contains(shown), "{described}");
        }
    }
}
