//! Numbers of a pipeline's runs, asked of Temporal at most once a minute for each pipeline, and at a bounded rate for all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::validate::Valid;
use crate::context::Context;
use crate::temporal::{Clients, Counts};

/// How often one pipeline is counted.
const EVERY: Duration = Duration::from_mins(1);
/// Least time between two counts of whatever pipelines.
const SPACING: Duration = Duration::from_millis(50);

/// What was counted, for each pipeline by uid.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) clients: Clients,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    last: Option<Instant>,
    by_uid: HashMap<String, (Instant, Option<Counts>)>,
}

impl Runs {
    /// The numbers: counted now if they are due, else those of the last time; `None` if Temporal did not tell.
    pub(super) async fn counts(&self, context: &Context, valid: &Valid) -> Option<Counts> {
        let uid = valid.owner.uid();
        if self.is_due(uid, Instant::now()) {
            match self.clients.count(&context.root_key, &valid.temporal, &valid.queue).await {
                Ok(counts) => self.store(uid, counts),
                Err(error) => {
                    tracing::info!(pipeline = %valid.key, %error, "Temporal did not count the runs");
                }
            }
        }
        self.lock().by_uid.get(uid).and_then(|(_, counts)| *counts)
    }

    /// Whether it is time to count; if so, the next time is a minute from now.
    fn is_due(&self, uid: &str, now: Instant) -> bool {
        let mut counted = self.lock();
        if counted.last.is_some_and(|last| now.duration_since(last) < SPACING) {
            return false;
        }
        if let Some((at, _)) = counted.by_uid.get(uid)
            && now.duration_since(*at) < EVERY
        {
            return false;
        }
        counted.last = Some(now);
        counted.by_uid.entry(uid.to_owned()).or_insert((now, None)).0 = now;
        true
    }

    fn store(&self, uid: &str, counts: Counts) {
        if let Some((_, stored)) = self.lock().by_uid.get_mut(uid) {
            *stored = Some(counts);
        }
    }

    /// The pipeline is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().by_uid.remove(uid);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_for_each_and_never_all_at_once() {
        let (runs, start) = (Runs::default(), Instant::now());
        assert!(runs.is_due("a", start));
        assert!(!runs.is_due("b", start + SPACING / 2));
        assert!(runs.is_due("b", start + SPACING));
        assert!(!runs.is_due("a", start + EVERY / 2));
        assert!(runs.is_due("a", start + EVERY));
    }
}
