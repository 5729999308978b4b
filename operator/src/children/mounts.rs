//! Secrets as files of a pod.

use k8s_openapi::api::core::v1::{KeyToPath, SecretVolumeSource, Volume, VolumeMount};

/// Some keys of a Secret as files in one directory. Never a single file by `subPath`: such a file would not follow
/// changes of the Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    volume: &'static str,
    directory: &'static str,
    secret: String,
    files: Vec<(String, String)>,
}

/// Readable by the owner and the pod's group.
const MODE: i32 = 0o440;

impl SecretMount {
    /// `files`: key in the Secret and name of the file.
    #[must_use]
    pub fn new(volume: &'static str, directory: &'static str, secret: &str, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(key, file)| (key.to_owned(), file.to_owned())).collect();
        Self { volume, directory, secret: secret.to_owned(), files }
    }

    /// Paths of the files in the container.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|(_, file)| format!("{}/{file}", self.directory))
    }

    pub(super) fn volume(&self) -> Volume {
        let item =
            |(key, path): &(String, String)| KeyToPath { key: key.clone(), path: path.clone(), mode: None };
        Volume {
            name: self.volume.to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(self.secret.clone()),
                default_mode: Some(MODE),
                items: Some(self.files.iter().map(item).collect()),
                optional: None,
            }),
            ..Volume::default()
        }
    }

    pub(super) fn mount(&self) -> VolumeMount {
        VolumeMount {
            name: self.volume.to_owned(),
            mount_path: self.directory.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        }
    }
}
