//! How an activity fails: what Temporal is told about trying again.
//!
//! An activity's retry policy knows no limit on attempts; whether trying again is of any use is for the error to say.
//! That is a [`Class`], and it is translated here, once for all workers.

use std::time::Duration;

use temporalio_sdk::ApplicationFailure;
use temporalio_sdk::activities::ActivityError;

/// What trying again can do for a failed activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It may work the next time.
    Retry {
        /// The other side asked for this pause. `None`: the pause of the retry policy, which grows.
        after: Option<Duration>,
    },
    /// It works once somebody has changed something: a key, a permission, a plan. Tried again every
    /// [`ATTENTION_PAUSE`], so that work goes on by itself afterwards.
    Attention,
    /// It can never work.
    Terminal,
}

/// Pause between attempts that wait for a person.
pub const ATTENTION_PAUSE: Duration = Duration::from_secs(30);

/// Longest pause that the other side may ask for: a broken clock there must not park a file for days.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// An activity's error of the given class.
///
/// `type_name` is a stable word in `PascalCase` that workflow code and people can compare (`SourceGone`); `message` is
/// one sentence for Temporal's UI, without secrets.
#[must_use]
pub fn activity_error(class: Class, type_name: &str, message: impl Into<String>) -> ActivityError {
    let pause = match class {
        Class::Retry { after } => after.map(|pause| pause.min(LONGEST_PAUSE)),
        Class::Attention => Some(ATTENTION_PAUSE),
        Class::Terminal => None,
    };
    let failure = ApplicationFailure::builder(message.into())
        .type_name(type_name.to_owned())
        .non_retryable(class == Class::Terminal)
        .maybe_next_retry_delay(pause)
        .build();
    ActivityError::application(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: Class) -> ApplicationFailure {
        match activity_error(class, "SourceGone", "the file is gone") {
            ActivityError::Application(failure) => *failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_class_is_a_retry_rule() {
        let asked = Duration::from_secs(7);
        for (class, never, pause) in [
            (Class::Retry { after: None }, false, None),
            (Class::Retry { after: Some(asked) }, false, Some(asked)),
            (Class::Retry { after: Some(Duration::MAX) }, false, Some(LONGEST_PAUSE)),
            (Class::Attention, false, Some(ATTENTION_PAUSE)),
            (Class::Terminal, true, None),
        ] {
            let failure = failure(class);
            assert_eq!(failure.is_non_retryable(), never, "{class:?}");
            assert_eq!(failure.next_retry_delay(), pause, "{class:?}");
        }
    }

    #[test]
    fn type_and_message_are_kept() {
        let failure = failure(Class::Terminal);
        assert_eq!(failure.type_name(), Some("SourceGone"));
        assert_eq!(failure.to_string(), "the file is gone");
    }
}
