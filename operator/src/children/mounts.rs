//! Secrets as files of a pod.

use k8s_openapi::api::core::v1::{
    KeyToPath, ProjectedVolumeSource, SecretProjection, SecretVolumeSource, Volume, VolumeMount,
    VolumeProjection,
};

/// Some keys of a Secret as files in one directory. Never a single file by `subPath`: such a file would not follow
/// changes of the Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    volume: &'static str,
    directory: &'static str,
    secret: String,
    files: Vec<(String, String)>,
    optional: Option<(String, String)>,
}

/// Readable by the owner and the pod's group.
const MODE: i32 = 0o440;

impl SecretMount {
    /// `files`: key in the Secret and name of the file.
    #[must_use]
    pub fn new(volume: &'static str, directory: &'static str, secret: &str, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(key, file)| (key.to_owned(), file.to_owned())).collect();
        Self { volume, directory, secret: secret.to_owned(), files, optional: None }
    }

    /// One file more, for a key that may be missing. For any other the kubelet waits before it starts the pod, and keeps
    /// the files that it has if the key goes later.
    #[must_use]
    pub fn with_optional(self, key: &str, file: &str) -> Self {
        Self { optional: Some((key.to_owned(), file.to_owned())), ..self }
    }

    /// Paths of the files in the container.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|(_, file)| format!("{}/{file}", self.directory))
    }

    pub(super) fn volume(&self) -> Volume {
        let name = self.volume.to_owned();
        let Some(optional) = &self.optional else {
            let secret = SecretVolumeSource {
                secret_name: Some(self.secret.clone()),
                default_mode: Some(MODE),
                items: Some(items(&self.files)),
                optional: None,
            };
            return Volume { name, secret: Some(secret), ..Volume::default() };
        };
        // `optional` counts for a whole source, so the file that may be missing has one of its own.
        let source = |files: &[(String, String)], optional| VolumeProjection {
            secret: Some(SecretProjection { name: self.secret.clone(), items: Some(items(files)), optional }),
            ..VolumeProjection::default()
        };
        let projected = ProjectedVolumeSource {
            default_mode: Some(MODE),
            sources: Some(vec![
                source(&self.files, None),
                source(std::slice::from_ref(optional), Some(true)),
            ]),
        };
        Volume { name, projected: Some(projected), ..Volume::default() }
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

fn items(files: &[(String, String)]) -> Vec<KeyToPath> {
    files.iter().map(|(key, path)| KeyToPath { key: key.clone(), path: path.clone(), mode: None }).collect()
}
