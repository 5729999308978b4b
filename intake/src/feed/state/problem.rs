//! What goes wrong in a round.

use std::time::Duration;

use fastio_temporal::failure::{ATTENTION_PAUSE, Class, LONGEST_PAUSE};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::intake::Undecided;

/// Why a round ended early, for people and for the pause before the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A stable word, for example `KeyRejected`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// One sentence.
    pub message: String,
    /// When it was seen last.
    pub at: Timestamp,
    /// Since when no round went well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Seconds that the other side, or a problem that waits for a person, asks for before the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<u64>,
}

impl Problem {
    /// What to tell about an error.
    #[must_use]
    pub fn new(error: &Undecided) -> Self {
        let pause = match error.class() {
            Class::Retry { after } => after.map(|pause| pause.min(LONGEST_PAUSE)),
            // There is no giving up: what stands in the way of all files has to be repaired by somebody.
            Class::Attention | Class::Terminal => Some(ATTENTION_PAUSE),
        };
        Self {
            type_name: error.type_name().to_owned(),
            message: error.to_string(),
            at: Timestamp::now(),
            since: None,
            pause: pause.map(|pause| pause.as_secs() + u64::from(pause.subsec_nanos() > 0)),
        }
    }

    /// The pause before the next attempt, after so many failures in a row before this one.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Duration {
        let growing = Duration::from_secs(1 << failures.min(5)).min(ATTENTION_PAUSE);
        self.pause.map_or(growing, |asked| Duration::from_secs(asked).max(Duration::from_secs(1)))
    }
}
