//! Not about our code: shows that the fuzzer is led by coverage. Each right byte is a new edge and so a new place to start
//! from; without guidance all of them have to come together at once, once in 256^8 runs.

use std::sync::atomic::{AtomicBool, Ordering};

static SOLVED: AtomicBool = AtomicBool::new(false);

/// Whether an input has reached the end.
pub fn is_solved() -> bool {
    SOLVED.load(Ordering::Relaxed)
}

pub(crate) fn run(bytes: &[u8]) {
    if depth(bytes) == 8 {
        SOLVED.store(true, Ordering::Relaxed);
    }
}

macro_rules! doors {
    ($bytes:ident, $depth:expr;) => { $depth };
    ($bytes:ident, $depth:expr; $key:literal $($rest:literal)*) => {
        if $bytes.get($depth) == Some(&$key) { doors!($bytes, $depth + 1; $($rest)*) } else { $depth }
    };
}

// Kept as it is written: optimised, all of it would be one comparison.
#[inline(never)]
fn depth(bytes: &[u8]) -> usize {
    let bytes = std::hint::black_box(bytes);
    doors!(bytes, 0; b'c' b'o' b'v' b'e' b'r' b'a' b'g' b'e')
}
