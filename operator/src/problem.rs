//! What every error of a step becomes: a reason for the status, a sentence for a person, and when to look again.

use std::time::Duration;

use fastio_crds::conditions::Reason;

/// Why an object is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Reason of the conditions.
    pub reason: Reason,
    /// What is wrong and what to do about it. Never holds the value of a Secret.
    pub message: String,
    /// Who or what ends it.
    pub outlook: Outlook,
}

/// How a problem ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// By trying again with growing pauses, not before the time that a service asked for.
    Passing {
        /// The least pause.
        at_least: Option<Duration>,
    },
    /// By something else getting ready. Nothing has failed: look again after this time.
    Waiting(Duration),
    /// By a person. Look again after this time.
    NeedsAction(Duration),
}

impl Problem {
    /// A problem that trying again should solve.
    pub fn passing(message: impl Into<String>) -> Self {
        Self {
            reason: Reason::Retrying,
            message: message.into(),
            outlook: Outlook::Passing { at_least: None },
        }
    }

    /// A problem that somebody has to solve.
    pub fn needs_action(reason: Reason, message: impl Into<String>, look_again: Duration) -> Self {
        Self { reason, message: message.into(), outlook: Outlook::NeedsAction(look_again) }
    }

    /// Something that is not there yet.
    pub fn waiting(reason: Reason, message: impl Into<String>, look_again: Duration) -> Self {
        Self { reason, message: message.into(), outlook: Outlook::Waiting(look_again) }
    }
}

/// An error of a step that can say what it means for the object.
pub trait Explain {
    /// The problem that the status shows.
    fn problem(&self) -> Problem;
}
