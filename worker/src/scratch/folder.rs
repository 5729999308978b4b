//! The folder of one run.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, File, OpenOptions};
use fastio_pipeline::plan::Step;

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
        self.open(&self.path(SOURCE))
    }

    /// What a step made.
    pub fn open_result(&self, step: &Step) -> io::Result<std::fs::File> {
        self.open(&self.result_path(step))
    }

    fn open(&self, path: &Path) -> io::Result<std::fs::File> {
        if !self.scratch.metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        self.scratch.open(path).map(File::into_std)
    }

    /// The part of the source that was downloaded so far, for reading and appending; created if absent.
    pub fn open_partial(&self) -> io::Result<std::fs::File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        self.scratch.open_with(self.path(PARTIAL), &options).map(File::into_std)
    }

    /// Makes the partial file the source file. Its content must be on the disk already (`fsync`).
    pub fn complete_source(&self) -> io::Result<()> {
        self.scratch.rename(self.path(PARTIAL), &self.scratch, self.path(SOURCE))?;
        self.sync(Path::new(&self.name))
    }

    /// Writes a step's result: whole or not at all, however the process ends.
    pub fn write_result(&self, step: &Step, content: &[u8]) -> io::Result<()> {
        self.scratch.create_dir_all(self.path(RESULTS))?;
        self.write_atomically(&self.result_path(step), content)
    }

    pub(super) fn read_claim(&self) -> io::Result<Option<Vec<u8>>> {
        match self.scratch.read(self.path(CLAIM)) {
            Ok(claim) => Ok(Some(claim)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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
