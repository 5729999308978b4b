//! The feed from outside: what its query `status` answers, and whether that is well.

use std::collections::BTreeMap;
use std::time::Duration;

use fastio::{OrgId, WorkspaceId};
use fastio_pipeline::names::{ObjectKey, WorkflowId};
use fastio_service::Condition;
use fastio_temporal::one_attempt;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use temporalio_client::{Client, WorkflowQueryOptions};

use super::state::{Memory, Problem, Source};
use super::workflow::Feed;

/// Longest time for one call.
const CALL: Duration = Duration::from_secs(5);

/// Pause between questions whether the feed is open.
const ASK: Duration = Duration::from_millis(500);

/// Pause between questions whether it is still well.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// How long rounds may go wrong before this process is not ready.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// Longest pause after a problem that does not ask for one.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// How long ago everything may have been read: two rounds, since the answer may be as old as one.
const STALE: SignedDuration = SignedDuration::from_mins(10);

/// What a feed does and how far it is. As old as the end of the last round, at most five minutes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// What is read; `None` before it was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub following: Option<FollowStatus>,
    /// Events that wait for a file that cannot be seen or read yet, however they were found.
    pub pending_events: usize,
    /// What changed before was found by listing or reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relist_watermark: Option<Timestamp>,
    /// A listing is under way.
    pub relisting: bool,
    /// The backfills that there were or are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backfills: Vec<BackfillStatus>,
    /// What is wrong now, by activity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub problems: BTreeMap<String, Problem>,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FollowStatus {
    /// `changes` (the organisation's change feed), `search` (the event log), `relist` (nothing but listings) or `off`.
    pub by: String,
    /// The workspace's id.
    pub workspace: WorkspaceId,
    /// The organisation, for `changes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// Why there are nothing but listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When everything up to then had been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read: Option<Timestamp>,
}

/// How far a backfill is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfillStatus {
    /// The pipeline.
    pub pipeline: ObjectKey,
    /// Its uid.
    pub uid: String,
    /// When it began.
    pub started: Timestamp,
    /// Files so far that the pipeline wants.
    pub files: u64,
    /// Everything was looked at.
    pub done: bool,
}

impl Status {
    pub(super) fn of(memory: &Memory) -> Self {
        let following = memory.following.opened.as_ref().map(|opened| FollowStatus {
            by: opened.source.as_str().to_owned(),
            workspace: opened.profile.clone(),
            org: match &opened.source {
                Source::Changes { org, .. } => Some(org.clone()),
                _ => None,
            },
            reason: match &opened.source {
                Source::Relist { reason } => Some(reason.clone()),
                _ => None,
            },
            since: opened.since,
            last_read: memory.following.last_read,
        });
        let backfills = memory.backfills.iter().map(|(uid, backfill)| BackfillStatus {
            pipeline: backfill.pipeline.clone(),
            uid: uid.clone(),
            started: backfill.started,
            files: backfill.files,
            done: backfill.done,
        });
        Self {
            following,
            pending_events: memory.following.pending.len() + memory.left_over.len(),
            relist_watermark: memory.relisting.watermark,
            relisting: memory.relisting.sweep.is_some(),
            backfills: backfills.collect(),
            problems: memory.problems.clone(),
        }
    }

    /// Whether what happens is read, as far as that is known `now` to a process that has looked since `begun`: it gives the
    /// feed time to come to itself. `before` is what it said last, and counts while the feed is opened again.
    #[must_use]
    pub fn is_well(&self, before: bool, begun: Timestamp, now: Timestamp) -> bool {
        let is_open =
            self.following.as_ref().map_or(before, |following| following.by != Source::Off.as_str());
        let is_failing = ["OpenFeed", "FollowFeed"].iter().any(|activity| {
            self.problems.get(*activity).is_some_and(|problem| problem.lasts(begun, now) > PATIENCE)
        });
        let is_stale = self.following.as_ref().is_some_and(|following| {
            let last = following.last_read.unwrap_or(following.since).max(begun);
            following.is_read() && now.duration_since(last) > STALE
        });
        is_open && !is_failing && !is_stale
    }
}

impl FollowStatus {
    /// Something is read, other than listings.
    fn is_read(&self) -> bool {
        matches!(self.by.as_str(), "changes" | "search")
    }
}

impl Problem {
    /// How long it has lasted. Nothing is known of it after the pause that followed it.
    fn lasts(&self, begun: Timestamp, now: Timestamp) -> SignedDuration {
        let pause = self
            .pause
            .map_or(LONGEST_PAUSE, |pause| SignedDuration::from_secs(pause.try_into().unwrap_or(i64::MAX)));
        let known_until = self.at.checked_add(pause).map_or(now, |until| until.min(now));
        known_until.duration_since(self.since.unwrap_or(self.at).max(begun))
    }
}

/// Tells, for ever, whether the feed is open and well, whoever it was opened by: a process that is to be replaced may hold it
/// still. Once it is open nothing that happens is missed.
pub async fn tell_whether_well(client: &Client, id: &WorkflowId, well: &Condition) {
    let begun = Timestamp::now();
    let options = WorkflowQueryOptions::builder().rpc_options(one_attempt(CALL)).build();
    loop {
        let feed = client.get_workflow_handle::<Feed>(id.as_str());
        match tokio::time::timeout(CALL, feed.query(Feed::status, (), options.clone())).await {
            Ok(Ok(status)) => {
                let (before, now) = (well.is_met(), status.is_well(well.is_met(), begun, Timestamp::now()));
                well.set(now);
                match (before, now) {
                    (false, true) => tracing::info!(workflow = %id, "the feed is open"),
                    (true, false) => tracing::warn!(
                        workflow = %id,
                        following = ?status.following,
                        problems = ?status.problems,
                        "the feed does not read what happens"
                    ),
                    _ => {}
                }
            }
            // Temporal is away, or nobody polls: what was known last counts.
            Ok(Err(error)) => tracing::debug!(%error, "the feed does not say how it is"),
            Err(_) => tracing::debug!("the feed does not say how it is"),
        }
        tokio::time::sleep(if well.is_met() { ASK_AGAIN } else { ASK }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn status(by: &str, last_read: Option<i64>) -> Status {
        let following = FollowStatus {
            by: by.to_owned(),
            workspace: "123".parse().unwrap(),
            org: None,
            reason: None,
            since: at(0),
            last_read: last_read.map(at),
        };
        Status { following: Some(following), relist_watermark: Some(at(0)), ..Status::default() }
    }

    fn failing(since: i64, last: i64, pause: Option<u64>) -> Status {
        let (type_name, message) = ("KeyRejected".to_owned(), "no".to_owned());
        let problem = Problem { type_name, message, at: at(last), since: Some(at(since)), pause };
        Status { problems: [("FollowFeed".to_owned(), problem)].into(), ..status("changes", Some(since)) }
    }

    #[test]
    fn a_feed_that_is_off_is_not_open_however_far_it_is() {
        assert!(!status("off", None).is_well(true, at(0), at(1)));
        assert!(status("relist", None).is_well(false, at(0), at(100_000)));
        let unknown = Status { relist_watermark: Some(at(0)), ..Status::default() };
        assert!(!unknown.is_well(false, at(0), at(1)), "not open yet");
        assert!(unknown.is_well(true, at(0), at(1)), "opened again");
    }

    #[test]
    fn a_feed_that_does_not_read_for_long_is_not_well() {
        assert!(status("changes", Some(1_000)).is_well(true, at(0), at(1_400)));
        assert!(!status("changes", Some(1_000)).is_well(true, at(0), at(1_601)));
        assert!(!status("search", None).is_well(true, at(0), at(601)));
        assert!(
            status("changes", Some(1_000)).is_well(false, at(90_000), at(90_001)),
            "it has only begun again"
        );
    }

    #[test]
    fn a_feed_whose_rounds_go_wrong_for_long_is_not_well() {
        assert!(failing(1_000, 1_000, None).is_well(true, at(0), at(1_300)), "once is nothing");
        assert!(!failing(1_000, 1_050, None).is_well(true, at(0), at(1_080)));
        assert!(!failing(1_000, 1_000, Some(3_600)).is_well(true, at(0), at(1_100)));
        assert!(failing(0, 1_000, Some(3_600)).is_well(false, at(1_000), at(1_050)));
    }
}
