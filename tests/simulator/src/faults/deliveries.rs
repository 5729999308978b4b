//! Faults of webhook deliveries, decided once for each delivery, in the order of the events.

use std::time::Duration;

use rand::RngExt as _;

use super::{Faults, Kind};
use crate::store::deliveries::{Spoilt, queue::Plan};

impl Faults {
    /// What becomes of a new delivery.
    pub(crate) fn plan(&self, workspace: &str) -> Plan {
        self.with(|set| {
            let mut plan = Plan::default();
            for entry in set.faults.values_mut() {
                if !is_about_deliveries(&entry.fault.kind)
                    || !entry.fault.concerns(None, Some(workspace))
                    || plan.dropped
                    || !entry.strikes()
                {
                    continue;
                }
                match &entry.fault.kind {
                    Kind::DropDeliveries {} => plan = Plan { dropped: true, ..Plan::default() },
                    Kind::DelayDeliveries { milliseconds } => hold_back(&mut plan, *milliseconds),
                    Kind::ReorderDeliveries { window_milliseconds } => {
                        let chosen = entry.dice.random_range(0..=*window_milliseconds);
                        hold_back(&mut plan, chosen);
                    }
                    Kind::DuplicateDeliveries { milliseconds } => {
                        plan.copies.push((Spoilt::Duplicate, Duration::from_millis(*milliseconds)));
                    }
                    Kind::ReplayDeliveries { age_seconds } => {
                        plan.copies.push((Spoilt::Replay { age_seconds: *age_seconds }, Duration::ZERO));
                    }
                    Kind::TamperDeliveries { attempts } => {
                        plan.spoilt.push(Spoilt::Tampered { attempts: *attempts });
                    }
                    Kind::ForgeDeliveries { attempts } => {
                        plan.spoilt.push(Spoilt::Forged { attempts: *attempts });
                    }
                    _ => {}
                }
            }
            plan
        })
    }
}

fn hold_back(plan: &mut Plan, milliseconds: u64) {
    plan.held_back = plan.held_back.saturating_add(Duration::from_millis(milliseconds));
    plan.spoilt.push(Spoilt::HeldBack { milliseconds });
}

const fn is_about_deliveries(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::DropDeliveries {}
            | Kind::DuplicateDeliveries { .. }
            | Kind::ReorderDeliveries { .. }
            | Kind::DelayDeliveries { .. }
            | Kind::ReplayDeliveries { .. }
            | Kind::TamperDeliveries { .. }
            | Kind::ForgeDeliveries { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_deliveries_under_three_faults_are_the_same_every_time() {
        let plans = || {
            let faults = Faults::default();
            for json in [
                r#"{"kind":"drop_deliveries","probability":0.2,"seed":1}"#,
                r#"{"kind":"duplicate_deliveries","probability":0.3,"seed":2}"#,
                r#"{"kind":"reorder_deliveries","window_milliseconds":500,"seed":3,"times":null}"#,
            ] {
                faults.add(serde_json::from_str(json).unwrap());
            }
            (0..1000).map(|_| faults.plan("1")).collect::<Vec<_>>()
        };
        let first = plans();
        assert!(first == plans());
        let dropped = first.iter().filter(|plan| plan.dropped).count();
        let doubled = first.iter().filter(|plan| !plan.copies.is_empty()).count();
        assert!((150..250).contains(&dropped) && (190..290).contains(&doubled), "{dropped} {doubled}");
        assert!(first.iter().all(|plan| plan.held_back <= Duration::from_millis(500)));
        assert!(first.iter().any(|plan| plan.held_back > Duration::from_millis(400)));
    }
}
