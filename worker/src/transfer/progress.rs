//! How far a transfer is: written by the engine, read by whoever reports it.

use std::sync::{Arc, Mutex, PoisonError};

/// A value that is shared between an engine and its observer. Clones share the value.
#[derive(Debug, Default)]
pub struct Progress<T>(Arc<Mutex<T>>);

impl<T> Clone for Progress<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Progress<T> {
    /// Starts from a value, for example what an earlier attempt reported.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the value.
    pub fn update(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
