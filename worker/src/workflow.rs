//! The `FilePipeline` workflow: deterministic, with a history that names things and never carries them.

mod ending;
mod hosting;
pub mod options;
mod pipeline;
mod status;

pub use pipeline::FilePipeline;
pub use status::{Phase, Status};
