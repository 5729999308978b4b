//! What is fuzzed. Every target takes any bytes and returns; whatever is wrong panics.

#![forbid(unsafe_code)]

mod envelope;
mod maze;
mod payload;
mod signature;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Runs it once.
    pub run: fn(&[u8]),
    /// Words that its input is made of, for the mutator.
    pub words: &'static [&'static str],
}

/// All targets.
pub const TARGETS: [Target; 4] = [
    Target { name: "signature", run: signature::run, words: signature::WORDS },
    Target { name: "payload", run: payload::run, words: payload::WORDS },
    Target { name: "envelope", run: envelope::run, words: envelope::WORDS },
    Target { name: "maze", run: maze::run, words: &[] },
];

pub use maze::is_solved;
