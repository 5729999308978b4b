//! Faults that tests ask for through the control API.
//!
//! A new kind of fault is one variant of [`Kind`] and one method of [`Faults`], called where it
//! takes effect.

mod calls;
mod deliveries;
mod fault;
mod infect;
mod kind;
pub(crate) mod replace;
pub(crate) mod wire;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

pub(crate) use fault::Fault;
pub use kind::ExpiresForm;
pub(crate) use kind::{ANY, INFECTED, Kind};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Set>);

#[derive(Debug, Default)]
struct Set {
    last: u64,
    faults: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    fault: Fault,
    dice: StdRng,
    end: Option<Instant>,
}

impl Entry {
    fn new(fault: Fault) -> Self {
        let end = fault
            .when
            .for_seconds
            .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds.into())));
        Self { dice: StdRng::seed_from_u64(fault.when.seed), end, fault }
    }

    fn has_ended(&self) -> bool {
        self.fault.when.times == Some(0) || self.end.is_some_and(|end| end <= Instant::now())
    }

    /// Whether the fault strikes at an occasion that concerns it. Every occasion throws the dice, so
    /// that the choices depend on nothing but the seed and the number of the occasion.
    fn strikes(&mut self) -> bool {
        let when = &mut self.fault.when;
        if when.skip > 0 {
            when.skip -= 1;
            return false;
        }
        if !self.dice.random_bool(when.probability) {
            return false;
        }
        when.times = when.times.map(|left| left.saturating_sub(1));
        true
    }
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        self.with(|set| {
            set.last += 1;
            set.faults.insert(set.last, Entry::new(fault));
            set.last
        })
    }

    pub(crate) fn list(&self) -> BTreeMap<u64, Fault> {
        self.with(|set| set.faults.iter().map(|(id, entry)| (*id, entry.fault.clone())).collect())
    }

    /// Whether there was such a fault.
    pub(crate) fn remove(&self, id: u64) -> bool {
        self.with(|set| set.faults.remove(&id).is_some())
    }

    /// Removes all, or those that name this workspace.
    pub(crate) fn reset(&self, workspace: Option<&str>) {
        self.with(|set| {
            set.faults
                .retain(|_, entry| workspace.is_some() && entry.fault.when.workspace.as_deref() != workspace);
        });
    }

    /// The first fault that concerns the call, that `pick` wants, and that strikes.
    fn take<T>(
        &self,
        operation: Option<&str>,
        workspace: Option<&str>,
        pick: impl Fn(&Kind) -> Option<T>,
    ) -> Option<T> {
        self.with(|set| {
            set.faults.values_mut().find_map(|entry| {
                let picked =
                    entry.fault.concerns(operation, workspace).then(|| pick(&entry.fault.kind))??;
                entry.strikes().then_some(picked)
            })
        })
    }

    /// Runs something on the faults that have not ended.
    fn with<T>(&self, act: impl FnOnce(&mut Set) -> T) -> T {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        set.faults.retain(|_, entry| !entry.has_ended());
        let acted = act(&mut set);
        set.faults.retain(|_, entry| !entry.has_ended());
        acted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        let faults = Faults::default();
        faults.add(serde_json::from_str(json).unwrap());
        faults
    }

    fn struck(faults: &Faults, occasions: usize) -> Vec<bool> {
        (0..occasions).map(|_| faults.take(Some("a.b"), Some("1"), |_| Some(())).is_some()).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let seeded = |seed: u64| {
            let json = format!(
                r#"{{"kind":"fail","operation":"a.b","status":500,"probability":0.3,"seed":{seed}}}"#
            );
            struck(&faults(&json), 1000)
        };
        assert_eq!(seeded(1), seeded(1));
        assert_ne!(seeded(1), seeded(2));
        let share = seeded(1).into_iter().filter(|struck| *struck).count();
        assert!((250..350).contains(&share), "{share}");
    }

    #[test]
    fn a_fault_lets_some_pass_then_counts_down_and_is_gone() {
        let faults = faults(r#"{"kind":"fail","operation":"a.b","status":500,"skip":2,"times":2}"#);
        assert_eq!(struck(&faults, 6), [false, false, true, true, false, false]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_concerns_its_operation_and_workspace_only() {
        let faults = faults(r#"{"kind":"fail","operation":"a.b","workspace":"1","status":500}"#);
        let strikes = |operation, workspace| faults.take(Some(operation), workspace, |_| Some(())).is_some();
        assert!(!strikes("a.c", Some("1")));
        assert!(!strikes("a.b", Some("2")));
        assert!(!strikes("a.b", None));
        assert!(strikes("a.b", Some("1")));
    }

    #[test]
    fn a_fault_for_some_time_ends_by_itself() {
        let faults = faults(r#"{"kind":"fail","operation":"*","status":429,"for_seconds":0}"#);
        assert_eq!(struck(&faults, 1), [false]);
        assert!(faults.list().is_empty());
    }
}
