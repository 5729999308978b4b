//! The folder of one run.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use fastio_pipeline::plan::Step;
use rustix::fs::OFlags;

/// The folder of one run: `claim.json`, `source`, `source.partial` and `results/`.
///
/// The calls are quick calls of a local file system, not for the middle of a busy async loop.
#[derive(Debug, Clone)]
pub struct RunFolder {
    scratch: Arc<Dir>,
    name: String,
}

const CLAIM: &str = "claim.json";
const SOURCE: &str = "source";
const PARTIAL: &str = "source.partial";
const RESULTS: &str = "results";
const SPOOL: &str = "spool";

/// Largest claim that is read: half of what Temporal lets a workflow's input have.
const MAX_CLAIM: u64 = 1 << 20;

impl RunFolder {
    pub(super) fn new(scratch: Arc<Dir>, name: String) -> Self {
        Self { scratch, name }
    }

    fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        Path::new(&self.name).join(file)
    }

    /// Name of a step's result within the folder.
    fn result_path(&self, step: &Step) -> PathBuf {
        self.path(Path::new(RESULTS).join(format!("{}.{}", step.name, step.action.extension())))
    }

    /// The source file, complete and verified.
    pub fn open_source(&self) -> io::Result<std::fs::File> {
        self.open(self.path(SOURCE), OpenOptions::new().read(true))
    }

    /// What a step made.
    pub fn open_result(&self, step: &Step) -> io::Result<std::fs::File> {
        self.open(self.result_path(step), OpenOptions::new().read(true))
    }

    /// Opens a regular file. It is the opened file that is looked at, for a name may come to mean another file at any
    /// time; and opening a pipe must not wait for whoever is at its other end.
    fn open(&self, path: impl AsRef<Path>, options: &mut OpenOptions) -> io::Result<std::fs::File> {
        options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = self.scratch.open_with(path, options)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(file.into_std())
    }

    /// The part of the source that was downloaded so far, for reading and appending; created if absent.
    pub fn open_partial(&self) -> io::Result<std::fs::File> {
        self.open(self.path(PARTIAL), OpenOptions::new().read(true).write(true).create(true).truncate(false))
    }

    /// Makes the partial file the source file. Its content must be on the disk already (`fsync`).
    pub fn complete_source(&self) -> io::Result<()> {
        self.scratch.rename(self.path(PARTIAL), &self.scratch, self.path(SOURCE))?;
        self.sync(Path::new(&self.name))
    }

    /// Writes a step's result: whole or not at all, however the process ends. A folder that was removed in the meantime,
    /// because the run is over, is not made again.
    pub fn write_result(&self, step: &Step, content: &[u8]) -> io::Result<()> {
        match self.scratch.create_dir(self.path(RESULTS)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.write_atomically(&self.result_path(step), content)
    }

    /// An empty file without a name: it is gone when it is closed.
    pub fn spool(&self) -> io::Result<std::fs::File> {
        let path = self.path(SPOOL);
        let mut options = OpenOptions::new();
        let file = self.scratch.open_with(&path, options.read(true).write(true).create_new(true))?;
        self.scratch.remove_file(&path)?;
        Ok(file.into_std())
    }

    pub(super) fn read_claim(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match self.open(self.path(CLAIM), OpenOptions::new().read(true)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut claim = Vec::new();
        if file.take(MAX_CLAIM + 1).read_to_end(&mut claim)? as u64 > MAX_CLAIM {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than a claim can be"));
        }
        Ok(Some(claim))
    }

    pub(super) fn write_claim(&self, claim: &[u8]) -> io::Result<()> {
        self.scratch.create_dir_all(&self.name)?;
        self.write_atomically(&self.path(CLAIM), claim)?;
        self.sync(Path::new("."))
    }

    /// Removes the folder with everything in it.
    pub(super) fn remove(&self) -> io::Result<()> {
        match self.scratch.remove_dir_all(&self.name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn write_atomically(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let temporary = path.with_added_extension("tmp");
        let mut file = self.scratch.create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        self.scratch.rename(&temporary, &self.scratch, path)?;
        self.sync(path.parent().unwrap_or(Path::new(".")))
    }

    /// A rename is durable once the directory is on the disk.
    fn sync(&self, directory: &Path) -> io::Result<()> {
        self.scratch.open(directory)?.sync_all()
    }
}
