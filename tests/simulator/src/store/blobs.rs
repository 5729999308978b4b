//! Bytes in files: written to `incoming/`, renamed into `blobs/` when they are complete.
//!
//! A file in `incoming/` belongs to a request that is still running, so what a start finds there is
//! left over from a crash and removed. So are blobs that no row needs: a crash came between the file and its row.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt, BufWriter},
};

use crate::ids::random_base32;

const BUFFER: usize = 256 * 1024;
/// Characters of a name.
const NAME: usize = 26;

/// The two directories.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    incoming: PathBuf,
    kept: PathBuf,
}

/// What was written, with its checksums.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) name: String,
    pub(crate) size: i64,
    pub(crate) crc32c: u32,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
}

impl Blobs {
    pub(super) fn open(directory: &Path) -> std::io::Result<Self> {
        let blobs = Self { incoming: directory.join("incoming"), kept: directory.join("blobs") };
        if blobs.incoming.exists() {
            std::fs::remove_dir_all(&blobs.incoming)?;
        }
        std::fs::create_dir_all(&blobs.incoming)?;
        std::fs::create_dir_all(&blobs.kept)?;
        Ok(blobs)
    }

    /// Removes every blob that is not needed. Files that no blob can be are left alone.
    pub(super) fn sweep(&self, needed: &HashSet<String>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.kept)? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            let own = name.len() == NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if own && !needed.contains(&name) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    pub(crate) async fn create(&self) -> std::io::Result<Writer> {
        let name = random_base32("", NAME);
        let incoming = self.incoming.join(&name);
        let file = File::create_new(&incoming).await?;
        Ok(Writer {
            file: BufWriter::with_capacity(BUFFER, file),
            incoming: Leftover(Some(incoming)),
            kept: self.kept.join(&name),
            blob: Blob { name, size: 0, crc32c: 0, sha256: String::new() },
            hash: Sha256::new(),
        })
    }

    /// Joins blobs, in order, into a new one. The parts stay.
    pub(crate) async fn join(&self, parts: &[String]) -> std::io::Result<Blob> {
        let mut writer = self.create().await?;
        let mut buffer = vec![0; BUFFER];
        for part in parts {
            let mut file = self.read(part).await?;
            loop {
                let count = file.read(&mut buffer).await?;
                if count == 0 {
                    break;
                }
                writer.write(buffer.get(..count).unwrap_or_default()).await?;
            }
        }
        writer.finish().await
    }

    /// The digest of a blob in lower-case hexadecimal digits.
    pub(super) async fn digest<D: Digest>(&self, name: &str) -> std::io::Result<String> {
        let (mut digest, mut file) = (D::new(), self.read(name).await?);
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = file.read(&mut buffer).await?;
            if count == 0 {
                return Ok(hex::encode(digest.finalize()));
            }
            digest.update(buffer.get(..count).unwrap_or_default());
        }
    }

    pub(crate) async fn read(&self, name: &str) -> std::io::Result<File> {
        File::open(self.kept.join(name)).await
    }

    /// The same for code that runs on a thread of its own.
    pub(crate) fn read_blocking(&self, name: &str) -> std::io::Result<std::fs::File> {
        std::fs::File::open(self.kept.join(name))
    }

    /// Removes a blob. It may be gone already, when a crash came between file and row.
    pub(crate) async fn remove(&self, name: &str) -> std::io::Result<()> {
        match tokio::fs::remove_file(self.kept.join(name)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A blob in the making. Dropped unfinished, it leaves nothing behind.
pub(crate) struct Writer {
    file: BufWriter<File>,
    incoming: Leftover,
    kept: PathBuf,
    blob: Blob,
    hash: Sha256,
}

impl Writer {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes).await?;
        self.hash.update(bytes);
        self.blob.crc32c = crc32c::crc32c_append(self.blob.crc32c, bytes);
        self.blob.size += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    pub(crate) fn size(&self) -> i64 {
        self.blob.size
    }

    pub(crate) async fn finish(mut self) -> std::io::Result<Blob> {
        self.file.flush().await?;
        if let Some(incoming) = self.incoming.0.take() {
            tokio::fs::rename(incoming, &self.kept).await?;
        }
        self.blob.sha256 = hex::encode(self.hash.finalize());
        Ok(self.blob)
    }
}

struct Leftover(Option<PathBuf>);

impl Drop for Leftover {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(path = %path.display(), %error, "an unfinished blob could not be removed");
        }
    }
}
