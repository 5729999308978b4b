//! What is done with the content of files. Runs in the container that holds no key.

mod cpu;
pub mod image;
mod memory;
mod run;

pub use cpu::Cpu;
pub use memory::Memory;
pub use run::{StepError, run};
