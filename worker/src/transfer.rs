//! What goes between Fast.io and the scratch space. Plain async code: no Temporal in it.

pub mod comment;
mod contest;
pub mod download;
pub mod find;
mod folder;
mod marker;
mod place;
mod progress;
mod ranges;
mod remote;
mod send;
mod session;
pub mod upload;

pub use marker::{MARKER_PIPELINE, MARKER_PLAN, MARKER_SOURCE, MARKER_VERSION};
pub use progress::Progress;
pub use ranges::Ranges;
pub use remote::{BadId, RemoteFile};
pub use session::Session;
