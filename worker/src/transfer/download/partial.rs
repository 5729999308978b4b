//! A source file that is not complete.

use std::io::{self, Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};
use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter};

use crate::scratch::RunFolder;

/// Bytes that are collected before they are written: fewer, larger writes.
const BUFFER: usize = 256 << 10;

/// The prefix of a source file, with the hash of it so far.
pub(super) struct Partial {
    file: BufWriter<tokio::fs::File>,
    len: u64,
    hash: Sha256,
}

impl Partial {
    /// Opens what an earlier attempt left and hashes it again: the state of a hash does not survive a process.
    ///
    /// More than `size` bytes cannot be a prefix of the file, so nothing is kept of that.
    pub(super) async fn open(folder: &RunFolder, size: u64) -> io::Result<Self> {
        let folder = folder.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let mut file = folder.open_partial()?;
            if file.metadata()?.len() > size {
                file.set_len(0)?;
            }
            let mut hash = Sha256::new();
            let len = feed(&mut file, &mut hash)?;
            file.seek(SeekFrom::Start(len))?;
            Ok::<_, io::Error>((file, len, hash))
        });
        let (file, len, hash) = opened.await.map_err(io::Error::other)??;
        Ok(Self { file: BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file)), len, hash })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) async fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Hands what was appended to the operating system, where it outlives the process.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        self.file.flush().await
    }

    /// Throws everything away.
    pub(super) async fn restart(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        let file = self.file.get_mut();
        file.set_len(0).await?;
        file.seek(SeekFrom::Start(0)).await?;
        self.len = 0;
        self.hash = Sha256::new();
        Ok(())
    }

    pub(super) fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    /// Makes it the source file, durably.
    pub(super) async fn complete(mut self, folder: &RunFolder) -> io::Result<()> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await?;
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || folder.complete_source()).await.map_err(io::Error::other)?
    }
}

fn feed(file: &mut impl Read, hash: &mut Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut len = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(len) };
        hash.update(bytes);
        len += bytes.len() as u64;
    }
}
