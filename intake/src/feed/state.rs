//! What a feed knows: carried from activity to activity, over every restart, by its workflow.

mod awaiting;
mod problem;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use fastio::{ChangeCursor, NodeId, OrgId, PageCursor, WorkspaceId};
use fastio_pipeline::names::ObjectKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::awaiting::{Awaiting, MAX_LEFT_OVER, MAX_WAITING};
pub use self::problem::Problem;
use super::search::Search;

/// Everything: the input of the workflow, again each time that it starts over with a new history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// The workspace that all of it is about, as it is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    /// Reading what happened.
    pub following: Following,
    /// Listing what there is.
    pub relisting: Relisting,
    /// Seconds from the start of one listing to that of the next; `None` while nothing is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relist_every: Option<u64>,
    /// List as soon as possible: something may have been missed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub relist_now: bool,
    /// Backfills by the uid of their pipeline, those that are done included.
    pub backfills: Backfills,
    /// Events of listings and backfills that could not be decided: following goes on with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_over: Vec<Awaiting>,
    /// What went wrong last in each of the three, by the name of the activity; not there once it works again.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub problems: BTreeMap<String, Problem>,
}

impl Memory {
    /// Notes what came of a round, and since when it has gone wrong.
    pub fn note(&mut self, activity: &str, problem: Option<Problem>) {
        let before = self.problems.remove(activity);
        if let Some(problem) = problem {
            let since = before.map_or(problem.at, |before| before.since.unwrap_or(before.at));
            self.problems.insert(activity.to_owned(), Problem { since: Some(since), ..problem });
        }
    }

    /// What the next round of following begins with. It takes over what others have left over, as far as it has room.
    pub fn follow_on(&mut self) -> Following {
        let room = MAX_WAITING.saturating_sub(self.following.pending.len()).min(self.left_over.len());
        self.following.pending.extend(self.left_over.drain(..room));
        let after_problem = self.problems.contains_key("FollowFeed");
        Following { after_problem, ..self.following.clone() }
    }

    /// Whether listings and backfills may leave more over. Where nothing was ever left over, they may.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.left_over.len() < MAX_LEFT_OVER
    }

    /// A listing begins, or goes on. Whoever asks for one from now on gets another; says whether somebody asked for this one.
    pub fn begin_listing(&mut self) -> bool {
        // One that is under way may have passed by what was missed since.
        self.relisting.sweep.is_none() && std::mem::take(&mut self.relist_now)
    }

    /// A round of a listing ended. `asked` is what [`Self::begin_listing`] said; one that `failed` may not have begun.
    pub fn listed(&mut self, relisting: Relisting, asked: bool, failed: bool) {
        self.relist_now |= asked && failed && relisting.sweep.is_none();
        self.relisting = relisting;
        self.left_over.append(&mut self.relisting.left_over);
    }

    /// A round of backfills ended.
    pub fn backfilled(&mut self, backfills: Backfills) {
        self.backfills = backfills;
        for backfill in self.backfills.values_mut() {
            self.left_over.append(&mut backfill.left_over);
        }
    }

    /// What a workflow begins with that takes the place of one that was ended by force.
    #[must_use]
    pub fn restored(self) -> Self {
        Self { relist_now: self.relist_every.is_some(), problems: BTreeMap::new(), ..self }
    }

    /// How long until the next listing: nothing if it is due or under way, `None` if there is none.
    #[must_use]
    pub fn until_relist(&self, now: SystemTime) -> Option<Duration> {
        let every = Duration::from_secs(self.relist_every?);
        let last = SystemTime::from(self.relisting.watermark?);
        if self.relist_now || self.relisting.sweep.is_some() {
            return Some(Duration::ZERO);
        }
        Some((last + every).duration_since(now).unwrap_or(Duration::ZERO))
    }
}

/// Reading what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Following {
    /// What is read; `None` if that has to be found out (again).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    /// Where reading stopped, while it is found out what can be read, or while nothing can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// Reading in the event log what happened while there was no position in the change feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catching_up: Option<Search>,
    /// The last round went wrong: this one is short, so that it is soon known whether all is well again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub after_problem: bool,
    /// How far accesses were read, where the source does not tell them and a pipeline wants them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accesses: Option<Search>,
    /// Events that cannot be decided yet, because their file cannot be seen or read yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Awaiting>,
    /// When everything up to then was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read: Option<Timestamp>,
}

impl Following {
    /// Nothing is followed, on purpose.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.opened.as_ref().is_some_and(|opened| matches!(opened.source, Source::Off))
    }

    /// What can be read has to be found out again. Where reading stopped is remembered, also over listings.
    pub fn lose(&mut self) {
        let Some(opened) = self.opened.take() else { return };
        let listed = matches!(opened.source, Source::Relist { .. });
        match &mut self.lost {
            Some(lost) if listed => lost.listed = true,
            lost => *lost = Some(Lost { opened, last_read: self.last_read, listed }),
        }
    }
}

/// Where reading stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// What was read.
    pub opened: Opened,
    /// When everything up to then had been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read: Option<Timestamp>,
    /// Listings found what changed since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listed: bool,
}

impl Lost {
    /// How the event log is read from there on; `None` if nothing was read, on purpose.
    #[must_use]
    pub fn search(&self) -> Option<Search> {
        match &self.opened.source {
            Source::Search(search) => Some(search.again()),
            Source::Changes { .. } | Source::Relist { .. } => {
                Some(Search::new(self.last_read.unwrap_or(self.opened.since), []))
            }
            Source::Off => None,
        }
    }
}

/// An opened source of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The workspace as it is configured. Another one is another feed.
    pub workspace: WorkspaceId,
    /// Its id, as events name it.
    pub profile: WorkspaceId,
    /// When it was opened.
    pub since: Timestamp,
    /// What is read.
    pub source: Source,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase")]
pub enum Source {
    /// The change feed of the workspace's organisation.
    Changes {
        /// The organisation.
        org: OrgId,
        /// Everything before it was read.
        cursor: ChangeCursor,
    },
    /// The event log of the workspace.
    Search(Search),
    /// Neither may be read with this key: listings alone find what changed.
    Relist {
        /// The service's words.
        reason: String,
    },
    /// Nothing: every event is delivered.
    Off,
}

impl Source {
    /// The word for it in metrics and in the status.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Changes { .. } => "changes",
            Self::Search(_) => "search",
            Self::Relist { .. } => "relist",
            Self::Off => "off",
        }
    }
}

/// Listing what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Relisting {
    /// What changed before was found, or was there before the feed was. `None` until the feed is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Timestamp>,
    /// The listing under way, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// What this round could not decide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_over: Vec<Awaiting>,
}

/// A listing under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sweep {
    /// When it began: the watermark once it is done.
    pub started: Timestamp,
    /// Where its next page is; the first one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageCursor>,
}

/// Backfills by the uid of their pipeline.
pub type Backfills = BTreeMap<String, Backfill>;

/// How far a backfill is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backfill {
    /// The pipeline.
    pub pipeline: ObjectKey,
    /// When it began.
    pub started: Timestamp,
    /// Where its page is; the first one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageCursor>,
    /// The last file of that page that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<NodeId>,
    /// Files so far that the pipeline wants.
    pub files: u64,
    /// Everything was looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
    /// What this round could not decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_over: Vec<Awaiting>,
}

#[cfg(test)]
mod tests;
