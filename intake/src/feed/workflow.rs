//! The `Feed` workflow: one for each webhook, without an end. Deterministic: all that it knows comes from its activities.
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use std::pin::pin;
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use temporalio_common::RetryPolicy;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflows::{join, select};
use temporalio_sdk::{
    ActivityOptions, ContinueAsNewOptions, WorkflowContext, WorkflowContextView, WorkflowResult,
    WorkflowTermination,
};

use super::activities::{FeedActivities, ROUND, Round};
use super::state::{Memory, Problem};
use super::watch::Status;

/// One attempt: a round, and time for what it began.
const ATTEMPT: Duration = ROUND.saturating_mul(3);

/// A process that says nothing for this long is dead, and another one goes on.
const SILENT: Duration = Duration::from_secs(15);

/// Pauses between attempts: doubling from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// Events of a history after which a new one begins. Reading it again, on another process, takes a moment only.
///
/// To change it, up or down, breaks the feeds that run: the replay of a history that is long by one number and not by the other
/// asks for other activities than were run. Such a feed stands still and does not answer; it can only be terminated, and the next
/// one begins where its history began. The recorded history of the tests is too short to notice. So change it by a patch: in
/// [`Feed::look_at_history`], the new number if `ctx.patched("history-of-<number>")`, else the old one. A history keeps to what
/// it began with, so the old number can go (with `deprecate_patch`) once each feed has begun a new one, after some hours.
const LONG: u32 = 1_000;

/// Follows what happens in the workspace of one webhook.
#[workflow]
#[derive(Default)]
pub struct Feed {
    memory: Memory,
    /// The history is long: everybody comes to an end.
    ending: bool,
    /// Those who have.
    ended: u32,
}

#[workflow_methods]
impl Feed {
    /// Goes on for ever, unless it is cancelled.
    #[run(name = "Feed")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, memory: Memory) -> WorkflowResult<()> {
        ctx.state_mut(|feed| feed.memory = memory);
        let ctx = &*ctx;
        let parts = async {
            let (following, relisting, backfill) =
                join!(Self::following(ctx), Self::relisting(ctx), Self::backfills(ctx));
            following.and(relisting).and(backfill)
        };
        let mut parts = pin!(parts.fuse());
        select! {
            // First: once it is cancelled, no timer lasts, and whoever waits by one would never come to rest.
            _ = ctx.cancelled() => Err(WorkflowTermination::cancelled()),
            ended = parts => ended,
        }?;
        let memory = ctx.state(|feed| feed.memory.clone());
        match ctx.continue_as_new(memory, ContinueAsNewOptions::default())? {}
    }

    /// What is followed, and how far: `temporal workflow query --name status`.
    #[query(name = "status")]
    #[must_use]
    pub fn status(&self, _ctx: &WorkflowContextView) -> Status {
        Status::of(&self.memory)
    }

    /// Everything that is known, for the one that takes the place of this one should it be ended by force.
    #[query(name = "memory")]
    #[must_use]
    pub fn everything(&self, _ctx: &WorkflowContextView) -> Memory {
        self.memory.clone()
    }
}

impl Feed {
    /// Opens and follows. The last to end, so that new files never wait for old ones.
    async fn following(ctx: &WorkflowContext<Self>) -> Result<(), WorkflowTermination> {
        let (mut failures, mut losses) = (0, 0_u32);
        while ctx.state(|feed| !(feed.ending && feed.ended == 2)) {
            let problem = if ctx.state(|feed| feed.memory.following.opened.is_some()) {
                let following = ctx.state_mut(|feed| feed.memory.follow_on());
                let options = options("reads what happens");
                let Round { state, problem } =
                    ctx.execute_activity(FeedActivities::follow_feed, following, options).await?;
                let is_lost = state.following.opened.is_none();
                ctx.state_mut(|feed| {
                    feed.memory.following = state.following;
                    if state.covered.is_some() {
                        feed.memory.relisting.watermark = state.covered;
                    }
                });
                Self::note(ctx, "FollowFeed", problem.clone());
                if is_lost {
                    // At once the first time. A source that is lost again each time must not make a busy loop.
                    ctx.timer(Duration::from_secs((1 << losses.min(5)) - 1)).await;
                }
                losses = if is_lost { losses.saturating_add(1) } else { 0 };
                problem
            } else {
                let options = options("finds out what can be read");
                let lost = ctx.state(|feed| feed.memory.following.lost.clone());
                let Round { state, problem } =
                    ctx.execute_activity(FeedActivities::open_feed, lost, options).await?;
                if let Some(opening) = state {
                    ctx.state_mut(|feed| opening.remember(&mut feed.memory));
                }
                Self::note(ctx, "OpenFeed", problem.clone());
                problem
            };
            Self::pause(ctx, problem.as_ref(), &mut failures).await;
            Self::look_at_history(ctx);
        }
        Ok(())
    }

    /// Lists now and then.
    async fn relisting(ctx: &WorkflowContext<Self>) -> Result<(), WorkflowTermination> {
        let mut failures = 0;
        while Self::goes_on(ctx).await? {
            let now = ctx.workflow_time().unwrap_or(SystemTime::UNIX_EPOCH);
            let (every, wait) = ctx.state(|feed| (feed.memory.relist_every, feed.memory.until_relist(now)));
            let mut changed = ctx.wait_condition(|feed| {
                feed.ending || feed.memory.relist_now || feed.memory.relist_every != every
            });
            match wait {
                Some(Duration::ZERO) => {}
                Some(wait) => {
                    select! {
                        waited = changed => waited?,
                        _ = ctx.timer(wait) => {}
                    }
                    continue;
                }
                None => {
                    changed.await?;
                    continue;
                }
            }
            let (asked, relisting) =
                ctx.state_mut(|feed| (feed.memory.begin_listing(), feed.memory.relisting.clone()));
            let options = options("lists what changed");
            let Round { state, problem } =
                ctx.execute_activity(FeedActivities::relist, relisting, options).await?;
            ctx.state_mut(|feed| feed.memory.listed(state, asked, problem.is_some()));
            Self::note(ctx, "Relist", problem.clone());
            Self::pause(ctx, problem.as_ref(), &mut failures).await;
        }
        ctx.state_mut(|feed| feed.ended += 1);
        Ok(())
    }

    /// Goes through what is there, whenever a pipeline asks for it.
    async fn backfills(ctx: &WorkflowContext<Self>) -> Result<(), WorkflowTermination> {
        let mut failures = 0;
        while Self::goes_on(ctx).await? {
            let backfills = ctx.state(|feed| feed.memory.backfills.clone());
            let options = options("goes through what is there, for pipelines that ask for it");
            let Round { state, problem } =
                ctx.execute_activity(FeedActivities::backfill, backfills, options).await?;
            ctx.state_mut(|feed| feed.memory.backfilled(state));
            Self::note(ctx, "Backfill", problem.clone());
            Self::pause(ctx, problem.as_ref(), &mut failures).await;
            Self::look_at_history(ctx);
        }
        ctx.state_mut(|feed| feed.ended += 1);
        Ok(())
    }

    /// Waits until what was left over before has found its place, and says whether there is to be another round.
    async fn goes_on(ctx: &WorkflowContext<Self>) -> Result<bool, WorkflowTermination> {
        ctx.wait_condition(|feed| feed.ending || feed.memory.has_room()).await?;
        Ok(ctx.state(|feed| !feed.ending))
    }

    fn note(ctx: &WorkflowContext<Self>, activity: &str, problem: Option<Problem>) {
        ctx.state_mut(|feed| feed.memory.note(activity, problem));
    }

    async fn pause(ctx: &WorkflowContext<Self>, problem: Option<&Problem>, failures: &mut u32) {
        let Some(problem) = problem else {
            *failures = 0;
            return;
        };
        ctx.timer(problem.pause(*failures)).await;
        *failures = failures.saturating_add(1);
    }

    fn look_at_history(ctx: &WorkflowContext<Self>) {
        if ctx.history_length() >= LONG || ctx.continue_as_new_suggested() {
            ctx.state_mut(|feed| feed.ending = true);
        }
    }
}

fn options(summary: &str) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(ATTEMPT)
        .heartbeat_timeout(SILENT)
        .retry_policy(
            RetryPolicy::builder().initial_interval(FIRST_PAUSE).maximum_interval(LAST_PAUSE).build(),
        )
        .summary(summary.to_owned())
        .build()
}
