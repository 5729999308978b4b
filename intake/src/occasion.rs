//! Why a file is looked at: what differs between an event that was delivered, one that was read, and a file that was found.

use fastio_pipeline::event::EventKind;
use fastio_pipeline::matching::Filtered;
use fastio_pipeline::names::ObjectKey;
use fastio_pipeline::plan::Plan;
use fastio_pipeline::run::SourceFile;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decide::Candidate;

/// How far the clocks of the service and of the cluster may differ.
const CLOCKS: SignedDuration = SignedDuration::from_secs(10);

/// Why a file is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Occasion {
    /// An event was delivered.
    Push,
    /// An event was read.
    Feed,
    /// A listing shows a file that changed since the last one.
    Relist,
    /// A listing shows a file that was there before this pipeline was.
    Backfill(ObjectKey),
}

impl Occasion {
    /// The word for it in metrics and logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Feed => "feed",
            Self::Relist => "relist",
            Self::Backfill(_) => "backfill",
        }
    }

    /// Whether this pipeline is asked at all about a file that changed then.
    ///
    /// A listing shows files that changed before the pipeline was made: those are for a backfill to find.
    #[must_use]
    pub fn asks(&self, candidate: &Candidate, changed: Option<Timestamp>) -> bool {
        match self {
            Self::Push | Self::Feed => true,
            Self::Relist => match (candidate.created, changed) {
                (Some(created), Some(changed)) => created.duration_since(changed) <= CLOCKS,
                _ => true,
            },
            Self::Backfill(only) => *only == candidate.pipeline,
        }
    }

    /// Whether the plan wants what happened, as far as that can be told without a look at the file. A backfill is about
    /// files to which nothing happened.
    pub fn check_kind(&self, plan: &Plan, kind: EventKind) -> Result<(), Filtered> {
        match self {
            Self::Backfill(_) => Ok(()),
            Self::Push | Self::Feed | Self::Relist if plan.matcher.wants(kind) => Ok(()),
            Self::Push | Self::Feed | Self::Relist => Err(Filtered::Event { kind }),
        }
    }

    /// Whether the plan wants the file.
    pub fn check(&self, plan: &Plan, kind: EventKind, source: &SourceFile) -> Result<(), Filtered> {
        self.check_kind(plan, kind)?;
        plan.matcher.check_file(source)
    }

    /// Whether runs may have happened that Temporal has forgotten, however young the file is.
    #[must_use]
    pub fn is_a_listing(&self) -> bool {
        matches!(self, Self::Relist | Self::Backfill(_))
    }
}
