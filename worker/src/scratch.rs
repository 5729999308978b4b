//! The scratch space of a worker pod: one folder for each run, shared by the two containers of the pod.
//!
//! The container `steps` runs whatever touches the content of files, so what it leaves here is not trusted: every path
//! is opened below the scratch directory, whatever symbolic links lie there (`cap-std`), and a claim counts only with
//! the seal that it was made with.

mod claim;
mod folder;
mod pulse;
mod room;

use std::io;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use sha2::{Digest, Sha256};

pub use claim::{Claim, ClaimError};
pub use folder::RunFolder;
pub use pulse::BEAT;
pub use room::{Room, RoomError};

/// The scratch directory.
#[derive(Debug, Clone)]
pub struct Scratch(Arc<Dir>);

impl Scratch {
    /// Opens the directory. It must exist: it is a volume of the pod.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Dir::open_ambient_dir(path, ambient_authority())?)))
    }

    /// The folder of a run, which may or may not exist.
    #[must_use]
    pub fn run(&self, workflow_id: &str) -> RunFolder {
        RunFolder::new(Arc::clone(&self.0), folder_name(workflow_id))
    }

    /// The folders that exist. Anything else that lies in the directory (a volume's `lost+found`) is left alone.
    pub fn runs(&self) -> io::Result<Vec<RunFolder>> {
        let mut runs = Vec::new();
        for entry in self.0.entries()? {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str().filter(|name| is_folder_name(name)) {
                runs.push(RunFolder::new(Arc::clone(&self.0), name.to_owned()));
            }
        }
        Ok(runs)
    }
}

/// Characters of a folder's name: 128 bits of the hash.
const NAME_LENGTH: usize = 32;

/// A workflow id has slashes and may be long; its hash is a file name.
fn folder_name(workflow_id: &str) -> String {
    let mut name = hex::encode(Sha256::digest(workflow_id.as_bytes()));
    name.truncate(NAME_LENGTH);
    name
}

fn is_folder_name(name: &str) -> bool {
    name.len() == NAME_LENGTH && name.bytes().all(|b| b.is_ascii_hexdigit())
}
