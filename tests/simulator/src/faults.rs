//! Faults that tests ask for through the control API.
//!
//! A new kind of fault is one variant of [`Fault`] and one method of [`Faults`], called where it
//! takes effect.

use std::{
    collections::BTreeMap,
    num::NonZeroU64,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::envelope::ApiError;

/// A fault as the control API takes it. Without `workspace` it concerns every workspace.
/// `times` counts down; `null` means until it is removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// Caps the bytes per second of each download.
    Bandwidth {
        #[serde(default)]
        workspace: Option<String>,
        bytes_per_second: NonZeroU64,
    },
    /// Answers calls of an operation with an error, before anything is done.
    Fail {
        operation: String,
        #[serde(default)]
        workspace: Option<String>,
        status: u16,
        #[serde(default)]
        code: Option<u32>,
        /// `error.params.reason`.
        #[serde(default)]
        reason: Option<String>,
        /// Seconds for a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u32>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
    /// Holds calls of an operation back before they are handled.
    Latency {
        operation: String,
        #[serde(default)]
        workspace: Option<String>,
        milliseconds: u64,
        #[serde(default)]
        times: Option<u32>,
    },
    /// Webhook deliveries that are never sent.
    DropDeliveries {
        #[serde(default)]
        workspace: Option<String>,
        #[serde(default = "once")]
        times: Option<u32>,
    },
}

#[allow(clippy::unnecessary_wraps, reason = "a serde default has the type of its field")]
fn once() -> Option<u32> {
    Some(1)
}

/// Any operation.
pub(crate) const ANY: &str = "*";

impl Fault {
    pub(crate) fn operation(&self) -> Option<&str> {
        match self {
            Self::Fail { operation, .. } | Self::Latency { operation, .. } => Some(operation),
            Self::Bandwidth { .. } | Self::DropDeliveries { .. } => None,
        }
    }

    fn workspace(&self) -> Option<&str> {
        match self {
            Self::Bandwidth { workspace, .. }
            | Self::Fail { workspace, .. }
            | Self::Latency { workspace, .. }
            | Self::DropDeliveries { workspace, .. } => workspace.as_deref(),
        }
    }

    fn concerns(&self, operation: Option<&str>, workspace: Option<&str>) -> bool {
        let named = self.operation().is_none_or(|own| own == ANY || Some(own) == operation);
        named && self.workspace().is_none_or(|own| Some(own) == workspace)
    }

    /// Takes one time off. `false` when it was the last one.
    fn spend(&mut self) -> bool {
        let (Self::Fail { times, .. } | Self::Latency { times, .. } | Self::DropDeliveries { times, .. }) =
            self
        else {
            return true;
        };
        match times {
            Some(left) => {
                *left = left.saturating_sub(1);
                *left > 0
            }
            None => true,
        }
    }
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Set>);

#[derive(Debug, Default)]
struct Set {
    last: u64,
    faults: BTreeMap<u64, Fault>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        self.with(|set| {
            set.last += 1;
            set.faults.insert(set.last, fault);
            set.last
        })
    }

    pub(crate) fn list(&self) -> BTreeMap<u64, Fault> {
        self.with(|set| set.faults.clone())
    }

    /// Whether there was such a fault.
    pub(crate) fn remove(&self, id: u64) -> bool {
        self.with(|set| set.faults.remove(&id).is_some())
    }

    /// Removes all, or those that name this workspace.
    pub(crate) fn reset(&self, workspace: Option<&str>) {
        self.with(|set| set.faults.retain(|_, fault| workspace.is_some() && fault.workspace() != workspace));
    }

    /// What has to happen before a call is handled: waits, then lets it through or fails it.
    pub(crate) async fn admit(&self, operation: &str, workspace: Option<&str>) -> Result<(), ApiError> {
        let delay = self.take(Some(operation), workspace, |fault| match fault {
            Fault::Latency { milliseconds, .. } => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        });
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let failure = self.take(Some(operation), workspace, |fault| match fault {
            Fault::Fail { status, code, reason, retry_after, .. } => {
                Some(failure(*status, *code, reason.as_deref(), *retry_after))
            }
            _ => None,
        });
        failure.map_or(Ok(()), Err)
    }

    /// Bytes per second that a download may have now.
    pub(crate) fn bandwidth(&self, workspace: &str) -> Option<NonZeroU64> {
        self.take(None, Some(workspace), |fault| match fault {
            Fault::Bandwidth { bytes_per_second, .. } => Some(*bytes_per_second),
            _ => None,
        })
    }

    /// Whether this delivery is one of those that are never sent.
    pub(crate) fn drops_delivery(&self, workspace: &str) -> bool {
        self.take(None, Some(workspace), |fault| matches!(fault, Fault::DropDeliveries { .. }).then_some(()))
            .is_some()
    }

    /// The first fault that concerns the call and that `pick` wants; spends one of its times.
    fn take<T>(
        &self,
        operation: Option<&str>,
        workspace: Option<&str>,
        pick: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        self.with(|set| {
            let (id, fault, picked) = set.faults.iter_mut().find_map(|(id, fault)| {
                let picked = fault.concerns(operation, workspace).then(|| pick(fault))??;
                Some((*id, fault, picked))
            })?;
            if !fault.spend() {
                set.faults.remove(&id);
            }
            Some(picked)
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Set) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn failure(status: u16, code: Option<u32>, reason: Option<&str>, retry_after: Option<u32>) -> ApiError {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = "Injected by the control API of the simulator";
    let mut error = ApiError::new(status, code.unwrap_or_default(), text);
    if let Some(reason) = reason {
        error = error.params(json!({ "reason": reason }));
    }
    if let Some(seconds) = retry_after {
        error = error.header(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[tokio::test]
    async fn a_failure_counts_down_and_concerns_its_operation_only() {
        let faults = Faults::default();
        faults.add(parse(
            r#"{"kind":"fail","operation":"upload.chunk","workspace":"1","status":503,"times":2}"#,
        ));
        assert!(faults.admit("upload.complete", Some("1")).await.is_ok());
        assert!(faults.admit("upload.chunk", Some("2")).await.is_ok());
        assert!(faults.admit("upload.chunk", Some("1")).await.is_err());
        assert!(faults.admit("upload.chunk", Some("1")).await.is_err());
        assert!(faults.admit("upload.chunk", Some("1")).await.is_ok());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_bandwidth_stays_until_it_is_removed() {
        let faults = Faults::default();
        let id = faults.add(parse(r#"{"kind":"bandwidth","workspace":"1","bytes_per_second":1000}"#));
        assert_eq!(faults.bandwidth("1").map(NonZeroU64::get), Some(1000));
        assert_eq!(faults.bandwidth("1").map(NonZeroU64::get), Some(1000));
        assert_eq!(faults.bandwidth("2"), None);
        assert!(faults.remove(id));
        assert_eq!(faults.bandwidth("1"), None);
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"drop_deliveries","time":2}"#).is_err());
    }
}
