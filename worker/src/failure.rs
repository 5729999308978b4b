//! From an engine's error to what Temporal is told: the one table of this crate.
//!
//! | type | class | when |
//! |---|---|---|
//! | `FastioUnavailable` | retry | no reply, 5xx, or a reply that cannot be understood |
//! | `RateLimited` | retry | 429; not before the moment that Fast.io names |
//! | a [`fastio::HumanReason`] | attention | the key, the plan or a permission has to be changed |
//! | `Conflict`, `NotStored`, `ScratchFailed`, `NoRoom`, `StepsAway` | retry | passes by itself |
//! | `ContentMismatch` | retry, in the end terminal | what was sent is not the file that was asked for |
//! | `SourceGone` | terminal | the file or its version does not exist any more |
//! | `Refused` | terminal | Fast.io will never accept the call |
//! | `PlanKeyUnusable` | attention | the file with the plan key is missing or holds no key |
//! | `NotAuthentic`, `InvalidRequest` | terminal; a claim tries `NotAuthentic` again for [`KEY_GRACE`](crate::plan_key::KEY_GRACE) | the request has no right seal, or makes no sense |
//! | `TooBigForScratch` | terminal | larger than a worker's whole scratch space |
//! | `PictureUnreadable`, `ResultNotWritable` | terminal | the step cannot work with this file |
//! | `OutputBlocked` | terminal | somebody else's files are in the way |
//! | [`NOT_CLAIMED`] | terminal for the activity | the host lost what the run had there; the workflow claims a host anew |

use std::time::{Duration, SystemTime};

use fastio::ErrorClass;
use fastio_pipeline::seal::SealError;
use fastio_temporal::failure::{Class, activity_error};
use temporalio_sdk::activities::ActivityError;

use crate::plan_key::PlanKeyError;
use crate::scratch::{ClaimError, RoomError};
use crate::steps::StepError;
use crate::steps::image::PictureError;
use crate::transfer::BadId;
use crate::transfer::comment::CommentError;
use crate::transfer::download::DownloadError;
use crate::transfer::upload::UploadError;

/// Type of the failure that says that a host holds nothing (any more) of a run. The workflow knows it.
pub const NOT_CLAIMED: &str = "NotClaimed";

/// Type of the failure of a request without a right seal. The workflow knows it: such a run must not comment.
pub const NOT_AUTHENTIC: &str = "NotAuthentic";

/// Pause before a call is made again whose reply made no sense: worth some patience.
const BROKEN_PAUSE: Duration = Duration::from_secs(30);

/// Pause before a host is asked again that has no room or no `steps` container.
const FULL_PAUSE: Duration = Duration::from_secs(2);

/// An activity's failure: what trying again can do, a stable type for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What trying again can do.
    pub class: Class,
    /// A stable word, see the table of this module.
    pub type_name: &'static str,
    /// One sentence.
    pub message: String,
}

impl Failure {
    /// A failure that no retry can mend.
    pub fn terminal(type_name: &'static str, message: &(impl ToString + ?Sized)) -> Self {
        Self { class: Class::Terminal, type_name, message: message.to_string() }
    }

    /// A failure that may pass.
    pub fn retry(type_name: &'static str, message: &(impl ToString + ?Sized)) -> Self {
        Self { class: Class::Retry { after: None }, type_name, message: message.to_string() }
    }

    /// A failure of a host that another one may not have, or that this one may not have in a moment.
    pub fn not_now(type_name: &'static str, message: &(impl ToString + ?Sized)) -> Self {
        Self::after(type_name, FULL_PAUSE, message)
    }

    fn after(type_name: &'static str, pause: Duration, message: &(impl ToString + ?Sized)) -> Self {
        Self { class: Class::Retry { after: Some(pause) }, type_name, message: message.to_string() }
    }
}

impl From<Failure> for ActivityError {
    fn from(failure: Failure) -> Self {
        activity_error(failure.class, failure.type_name, failure.message)
    }
}

impl From<fastio::Error> for Failure {
    fn from(error: fastio::Error) -> Self {
        match error.class() {
            ErrorClass::Retry { after } => {
                Self { class: Class::Retry { after }, ..Self::retry("FastioUnavailable", &error) }
            }
            ErrorClass::WaitUntil(at) => {
                let pause = at.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
                Self::after("RateLimited", pause, &error)
            }
            ErrorClass::NeedsHuman(reason) => {
                Self { class: Class::Attention, type_name: reason.as_str(), message: error.to_string() }
            }
            ErrorClass::Gone => Self::terminal("SourceGone", &error),
            ErrorClass::Conflict => Self::retry("Conflict", &error),
            ErrorClass::Invalid => Self::terminal("Refused", &error),
            // Also a class that a newer client knows and this code does not: patience loses nothing.
            _ => Self::after("FastioUnavailable", BROKEN_PAUSE, &error),
        }
    }
}

impl From<BadId> for Failure {
    fn from(error: BadId) -> Self {
        Self::terminal("InvalidRequest", &error)
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::NotAuthentic | SealError::OtherWorkflow { .. } => {
                Self::terminal(NOT_AUTHENTIC, &error)
            }
            SealError::Unreadable(_) => Self::terminal("InvalidRequest", &error),
        }
    }
}

impl From<PlanKeyError> for Failure {
    fn from(error: PlanKeyError) -> Self {
        Self { class: Class::Attention, type_name: "PlanKeyUnusable", message: error.to_string() }
    }
}

impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Missing => Self::terminal(NOT_CLAIMED, &error),
            ClaimError::Seal(error) => error.into(),
            ClaimError::Io(_) => Self::retry("ScratchFailed", &error),
        }
    }
}

impl From<RoomError> for Failure {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::TooBig { .. } => Self::terminal("TooBigForScratch", &error),
            RoomError::Full => Self::not_now("NoRoom", &error),
            RoomError::Io(_) => Self::retry("ScratchFailed", &error),
        }
    }
}

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Fastio(error) => error.into(),
            DownloadError::Id(error) => error.into(),
            DownloadError::Scratch(_) => Self::retry("ScratchFailed", &error),
            DownloadError::Mismatch(_) => Self::retry("ContentMismatch", &error),
        }
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Claim(error) => error.into(),
            StepError::NoInput { .. } => Self::terminal(NOT_CLAIMED, &error),
            StepError::Unknown(_) => Self::terminal("InvalidRequest", &error),
            StepError::Picture {
                source: PictureError::NotWritable { .. } | PictureError::Step(_), ..
            } => Self::terminal("ResultNotWritable", &error),
            StepError::Picture { .. } | StepError::Crashed { .. } => {
                Self::terminal("PictureUnreadable", &error)
            }
            StepError::Scratch(_) => Self::retry("ScratchFailed", &error),
        }
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        match error {
            // What is gone is a folder that somebody removed while we looked: the next attempt makes it again.
            UploadError::Fastio(error) if error.class() == ErrorClass::Gone => {
                Self::retry("Conflict", &error)
            }
            UploadError::Fastio(error) => error.into(),
            UploadError::Id(error) => error.into(),
            UploadError::Scratch(_) => Self::retry("ScratchFailed", &error),
            UploadError::FolderBlocked(_) | UploadError::NameTaken(_) => {
                Self::terminal("OutputBlocked", &error)
            }
            UploadError::TooLarge { .. } => Self::terminal("TooLargeForPlan", &error),
            UploadError::NotStored(_) => Self::retry("NotStored", &error),
            UploadError::ResultId(_) => Self::terminal("Refused", &error),
        }
    }
}

impl From<CommentError> for Failure {
    fn from(error: CommentError) -> Self {
        match error {
            CommentError::Fastio(error) => error.into(),
            CommentError::Id(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_claim_is_for_the_workflow_and_a_wrong_seal_for_nobody() {
        assert_eq!(Failure::from(ClaimError::Missing).type_name, NOT_CLAIMED);
        let forged = Failure::from(ClaimError::Seal(SealError::NotAuthentic));
        assert_eq!((forged.type_name, forged.class), (NOT_AUTHENTIC, Class::Terminal));
    }

    #[test]
    fn a_bad_picture_is_terminal_and_a_bad_disk_is_not() {
        let step = "thumb".to_owned();
        let picture =
            Failure::from(StepError::Picture { step: step.clone(), source: PictureError::Unsupported });
        assert_eq!((picture.type_name, picture.class), ("PictureUnreadable", Class::Terminal));
        assert_eq!(picture.message, "step \"thumb\": the file is not a JPEG, PNG, WebP or GIF picture");
        assert_eq!(Failure::from(StepError::Crashed { step }).class, Class::Terminal);
        let disk = Failure::from(StepError::Scratch(std::io::Error::other("no space left")));
        assert_eq!(disk.class, Class::Retry { after: None });
    }
}
