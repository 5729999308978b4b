//! How a part of a run ends when it does not end well.

use temporalio_common::error::{ActivityExecutionError, ActivityFailureError, IncomingError, TimeoutType};
use temporalio_sdk::{ApplicationFailure, WorkflowTermination};

use crate::failure::NOT_CLAIMED;

/// Why a run cannot go on as it is.
#[derive(Debug)]
pub(super) enum Ending {
    /// The host is gone, or lost what the run had there. Another one may do.
    HostLost(String),
    /// Somebody cancelled the run.
    Cancelled,
    /// It can never work.
    Failed(RunFailure),
    /// The SDK cannot go on: this code met a history that another version wrote.
    Stuck(Box<ActivityExecutionError>),
}

/// Why a run failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunFailure {
    /// A stable word, see [`crate::failure`].
    pub(super) type_name: String,
    /// One sentence.
    pub(super) message: String,
}

impl RunFailure {
    pub(super) fn new(type_name: &str, message: impl Into<String>) -> Self {
        Self { type_name: type_name.to_owned(), message: message.into() }
    }
}

impl From<RunFailure> for WorkflowTermination {
    fn from(failure: RunFailure) -> Self {
        ApplicationFailure::builder(failure.message)
            .type_name(failure.type_name)
            .non_retryable(true)
            .build()
            .into()
    }
}

impl From<ActivityExecutionError> for Ending {
    fn from(error: ActivityExecutionError) -> Self {
        match error {
            ActivityExecutionError::Failed(failure) => of_activity(&failure),
            ActivityExecutionError::Cancelled(_) => Self::Cancelled,
            other => Self::Stuck(Box::new(other)),
        }
    }
}

fn of_activity(failure: &ActivityFailureError) -> Ending {
    let activity = failure.activity_type().unwrap_or("an activity");
    match failure.cause() {
        Some(IncomingError::Application(cause)) => {
            let message = cause.to_string();
            match cause.type_name() {
                Some(NOT_CLAIMED) => Ending::HostLost(message),
                Some(type_name) => Ending::Failed(RunFailure::new(type_name, message)),
                // A panic, for example.
                None => Ending::Failed(RunFailure::new("ActivityFailed", format!("{activity}: {message}"))),
            }
        }
        Some(IncomingError::Timeout(timeout)) => {
            of_timeout(activity, timeout.timeout_type(), timeout.cause().map(reason))
        }
        Some(IncomingError::Cancelled(_)) => Ending::Cancelled,
        cause => {
            let message = cause.map_or_else(|| failure.failure().message.clone(), reason);
            Ending::Failed(RunFailure::new("ActivityFailed", format!("{activity}: {message}")))
        }
    }
}

fn of_timeout(activity: &str, kind: TimeoutType, last: Option<String>) -> Ending {
    match kind {
        TimeoutType::ScheduleToStart => {
            Ending::HostLost(format!("nobody on the host begins with {activity}"))
        }
        TimeoutType::Heartbeat => Ending::Failed(RunFailure::new(
            "WorkerLost",
            format!(
                "the container that ran {activity} stopped without a word each time; it may have run out of memory"
            ),
        )),
        _ => {
            let why = last.map(|last| format!("; the last attempt: {last}")).unwrap_or_default();
            Ending::Failed(RunFailure::new("TimedOut", format!("{activity} did not get done in time{why}")))
        }
    }
}

fn reason(error: &IncomingError) -> String {
    match error {
        IncomingError::Application(failure) => failure.to_string(),
        other => other.failure().message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_does_not_begin_is_lost() {
        let ending = of_timeout("RunStep", TimeoutType::ScheduleToStart, None);
        assert!(matches!(ending, Ending::HostLost(_)), "{ending:?}");
    }

    #[test]
    fn other_timeouts_are_failures_that_say_what_was_last() {
        let Ending::Failed(failure) =
            of_timeout("UploadResult", TimeoutType::ScheduleToClose, Some("HTTP 503".to_owned()))
        else {
            panic!("not a failure");
        };
        assert_eq!(failure.type_name, "TimedOut");
        assert_eq!(failure.message, "UploadResult did not get done in time; the last attempt: HTTP 503");
        let Ending::Failed(failure) = of_timeout("RunStep", TimeoutType::Heartbeat, None) else {
            panic!("not a failure");
        };
        assert!(failure.message.contains("out of memory"), "{}", failure.message);
    }
}
