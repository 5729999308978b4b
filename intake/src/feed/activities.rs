//! The activities: between Temporal and the engine.
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use std::sync::Arc;
use std::time::Duration;

use fastio_temporal::failure::{Class, activity_error};
use fastio_temporal::heartbeat::beating;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Feed;
use super::open::Opening;
use super::state::{Backfills, Following, Lost, Problem, Relisting};
use crate::intake::Undecided;

/// Length of a round. Shorter ones would fill the history, longer ones let the status grow old.
pub(super) const ROUND: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_mins(5) };

/// Length of a round that has nothing to do, which another process may have to end, and of one after a problem.
const SHORT_ROUND: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(30) };

/// Pause before another process takes over a round that ends with this one.
const HANDOVER: Duration = Duration::from_millis(500);

/// How far a round came, and what ended it early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round<T> {
    /// What is known now.
    pub state: T,
    /// Why it ended early, if something went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// How far following came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Followed {
    /// What is known now.
    pub following: Following,
    /// Events up to then were delivered or are somebody else's business: only while nothing is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered: Option<Timestamp>,
}

/// The activities of the `Feed` workflow.
pub struct FeedActivities {
    /// Does the work.
    pub feed: Arc<Feed>,
    /// Cancelled when the process should end: a round ends then, and another process goes on with it.
    pub stop: CancellationToken,
}

#[activities]
impl FeedActivities {
    /// Opens the best source of events, where reading stopped if it was `lost`.
    #[activity(name = "OpenFeed")]
    pub async fn open_feed(
        self: Arc<Self>,
        ctx: ActivityContext,
        lost: Option<Lost>,
    ) -> Result<Round<Option<Opening>>, ActivityError> {
        let state = watch::Sender::new(None);
        let work = async {
            let opening = self.feed.open(lost.as_ref()).await?;
            self.feed.metrics.feed.opened(&opening.opened.source);
            state.send_replace(Some(opening));
            Ok(())
        };
        self.round(&ctx, "OpenFeed", &state, Box::pin(work)).await
    }

    /// Reads what happens.
    #[activity(name = "FollowFeed")]
    pub async fn follow_feed(
        self: Arc<Self>,
        ctx: ActivityContext,
        following: Following,
    ) -> Result<Round<Followed>, ActivityError> {
        let begun = Timestamp::now();
        let state = watch::Sender::new(resumed(&ctx, following));
        if let Some(opened) = &state.borrow().opened {
            self.feed.metrics.feed.opened(&opened.source);
        }
        let length = length(&state.borrow());
        let round =
            self.round(&ctx, "FollowFeed", &state, Box::pin(self.feed.follow(&state, length))).await?;
        let covered = round.state.is_off().then_some(begun);
        let state = Followed { following: round.state, covered };
        Ok(Round { state, problem: round.problem })
    }

    /// Lists what changed.
    #[activity(name = "Relist")]
    pub async fn relist(
        self: Arc<Self>,
        ctx: ActivityContext,
        relisting: Relisting,
    ) -> Result<Round<Relisting>, ActivityError> {
        let state = watch::Sender::new(resumed(&ctx, relisting));
        self.round(&ctx, "Relist", &state, Box::pin(self.feed.relist(&state, ROUND))).await
    }

    /// Goes through what is there, for pipelines that ask for it.
    #[activity(name = "Backfill")]
    pub async fn backfill(
        self: Arc<Self>,
        ctx: ActivityContext,
        backfills: Backfills,
    ) -> Result<Round<Backfills>, ActivityError> {
        let state = watch::Sender::new(resumed(&ctx, backfills));
        self.round(&ctx, "Backfill", &state, Box::pin(self.feed.backfill(&state, ROUND))).await
    }
}

impl FeedActivities {
    /// Works until the round ends. What goes wrong ends it early, with all that was done before: the workflow shows it, and
    /// the pause before the next round is its business.
    async fn round<T>(
        &self,
        ctx: &ActivityContext,
        activity: &'static str,
        state: &watch::Sender<T>,
        work: impl Future<Output = Result<(), Undecided>>,
    ) -> Result<Round<T>, ActivityError>
    where
        T: Serialize + Clone + PartialEq + Send + Sync + 'static,
    {
        let now = || state.borrow().clone();
        let Some(outcome) = beating(ctx, now, self.stop.run_until_cancelled(work)).await? else {
            let pause = Class::Retry { after: Some(HANDOVER) };
            return Err(activity_error(pause, "WorkerShutdown", "this process ends, another one goes on"));
        };
        let problem = outcome.err().map(|error| {
            let problem = Problem::new(&error);
            self.feed.metrics.feed.problem(activity, &problem.type_name);
            tracing::warn!(
                activity,
                reason = problem.type_name,
                problem = problem.message,
                "the round ends early"
            );
            problem
        });
        Ok(Round { state: now(), problem })
    }
}

fn length(following: &Following) -> Duration {
    if following.is_off() || following.after_problem { SHORT_ROUND } else { ROUND }
}

/// Where an attempt begins: where the one before it got to, if there was one.
fn resumed<T: DeserializeOwned + 'static>(ctx: &ActivityContext, input: T) -> T {
    match ctx.heartbeat_details().deserialize() {
        Ok(Some(before)) => before,
        Ok(None) => input,
        Err(error) => {
            tracing::warn!(%error, "the last attempt's heartbeat cannot be read; the workflow's state counts");
            input
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::state::{Opened, Source};

    #[test]
    fn a_round_that_another_process_may_have_to_end_is_short() {
        let following = |source| {
            let (workspace, profile) = ("studio".parse().unwrap(), "123".parse().unwrap());
            let opened = Opened { workspace, profile, since: Timestamp::UNIX_EPOCH, source };
            Following { opened: Some(opened), ..Following::default() }
        };
        assert_eq!(length(&following(Source::Off)), SHORT_ROUND);
        let listings = following(Source::Relist { reason: "no".to_owned() });
        assert_eq!(length(&listings), ROUND);
        assert_eq!(length(&Following { after_problem: true, ..listings }), SHORT_ROUND);
    }
}
