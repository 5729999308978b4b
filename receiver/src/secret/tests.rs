use fastio::signature::BodyHex;
use fastio_service::Health;
use jiff::Timestamp;

use super::*;

const OLD: &str = "an old secret of some length";
const NEW: &str = "a new secret of some length";

fn accepts(secrets: &Secrets, secret: &str) -> bool {
    let now = Timestamp::now();
    let headers = Scheme::from(BodyHex::default()).sign(&SigningSecret::new(secret).unwrap(), b"body", now);
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

    /// As long as this file cannot be read: root may read whatever is a file, so it is none.
    fn break_file(&self, name: &str) {
        let path = self.dir.path().join(name);
        if path.exists() {
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::create_dir(path).unwrap();
        self.secrets.reload();
    }

    fn remove_dir(&self, name: &str) {
        std::fs::remove_dir(self.dir.path().join(name)).unwrap();
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
fn what_cannot_be_read_at_the_moment_stays_in_use() {
    let mount = Mount::new(SecretEncoding::Raw);
    mount.break_file("current");
    assert!(!mount.is_open(), "at the start there is nothing that could stay");
    mount.remove_dir("current");
    mount.write("previous", OLD);
    mount.write("current", NEW);

    mount.break_file("current");
    assert!(mount.is_open() && accepts(&mount.secrets, NEW) && accepts(&mount.secrets, OLD));
    let described = mount.described();
    assert!(described.contains("current cannot be read: "), "{described}");
    assert!(described.contains("what it held before stays in use"), "{described}");

    // A secret that is taken back is gone, also after a moment in which it could not be read.
    mount.remove_dir("current");
    mount.secrets.reload();
    assert!(!mount.is_open());
    mount.break_file("current");
    assert!(!mount.is_open());
    mount.remove_dir("current");

    std::fs::remove_file(mount.dir.path().join("previous")).unwrap();
    mount.write("current", NEW);
    mount.break_file("previous");
    assert!(accepts(&mount.secrets, NEW) && !accepts(&mount.secrets, OLD));
    mount.remove_dir("previous");
    mount.write("previous", OLD);
    mount.break_file("previous");
    assert!(accepts(&mount.secrets, NEW) && accepts(&mount.secrets, OLD));
    for bad in ["", "short"] {
        mount.write("current", NEW);
        assert!(mount.is_open());
        mount.write("current", bad);
        assert!(!mount.is_open(), "{bad:?}");
    }
}

#[test]
fn a_file_that_is_being_replaced_is_read_again() {
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    for (outcomes, expected, times) in [
        ([Err(gone()), Ok(1)], Some(1), 2),
        ([Err(gone()), Err(gone())], None, 2),
        ([Ok(1), Ok(2)], Some(1), 1),
        ([Err(io::ErrorKind::Other.into()), Ok(2)], None, 1),
    ] {
        let (mut outcomes, mut read) = (outcomes.into_iter(), 0);
        let outcome = settled(|| {
            read += 1;
            outcomes.next().unwrap()
        });
        assert_eq!((outcome.ok(), read), (expected, times));
    }
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
