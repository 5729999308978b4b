//! Readiness as a set of named conditions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Whether a process is ready: it is once all its conditions are true.
#[derive(Debug, Clone, Default)]
pub struct Health {
    conditions: Arc<RwLock<Vec<Named>>>,
}

/// A condition with the name that `/readyz` shows.
type Named = (&'static str, Arc<AtomicBool>);

/// One condition of a process's readiness.
#[derive(Debug, Clone)]
pub struct Condition(Arc<AtomicBool>);

impl Health {
    /// Ready until a condition is added.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition, false at first. The name is shown by `/readyz`, so it should read well after "not yet: ".
    #[must_use]
    pub fn condition(&self, name: &'static str) -> Condition {
        let flag = Arc::new(AtomicBool::new(false));
        self.conditions.write().unwrap_or_else(PoisonError::into_inner).push((name, Arc::clone(&flag)));
        Condition(flag)
    }

    /// The conditions that are false. Ready if there are none.
    #[must_use]
    pub fn unmet(&self) -> Vec<&'static str> {
        let conditions = self.conditions.read().unwrap_or_else(PoisonError::into_inner);
        conditions.iter().filter(|(_, flag)| !flag.load(Ordering::Relaxed)).map(|(name, _)| *name).collect()
    }
}

impl Condition {
    /// Makes the condition true or false.
    pub fn set(&self, met: bool) {
        self.0.store(met, Ordering::Relaxed);
    }

    /// Whether the condition is true.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
