//! Reading what happens, as it happens.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::changes::{Paged, Then};
use super::nudge::Nudge;
use super::pace::{Read, Schedule};
use super::rows::FILE_EVENTS;
use super::state::{Awaiting, Following, Opened, Source};
use super::{Feed, Follow};
use crate::intake::Undecided;
use crate::occasion::Occasion;

/// Pause before an event is tried again whose file is not there yet.
const AGAIN: Duration = Duration::from_secs(2);

/// How long the event log is read before the change feed is tried again, which tells more and sooner.
const BETTER: SignedDuration = SignedDuration::from_hours(1);

/// Most events that may wait for their files. Reading stops there until some are decided, which takes the grace period at
/// most.
pub(super) const MAX_PENDING: usize = 500;

impl Feed {
    /// Reads and decides for the length of a `round`. `state` moves on with each page that is decided, never before.
    ///
    /// It ends early, without [`Following::opened`], when something else has to be read from now on.
    pub(super) async fn follow(
        &self,
        state: &watch::Sender<Following>,
        round: Duration,
    ) -> Result<(), Undecided> {
        let end = Instant::now() + round;
        let Some(opened) = state.borrow().opened.clone().filter(|opened| self.still_wants(opened)) else {
            state.send_modify(Following::lose);
            return Ok(());
        };
        if matches!(opened.source, Source::Off | Source::Relist { .. }) {
            return self.idle(state, end).await;
        }
        let mut nudge = Nudge::new(self.follow);
        let mut schedule = Schedule::new(self.follow, Instant::now());
        let mut accesses = true;
        while Instant::now() < end {
            let mut until = schedule.due().min(end);
            if !state.borrow().pending.is_empty() {
                until = until.min(Instant::now() + AGAIN);
            }
            if self.nudged(&mut nudge, &opened.profile, until).await {
                schedule.nudged(Instant::now());
            }
            self.settle_pending(state).await?;
            if Instant::now() >= schedule.due() {
                let Some(read) = self.read(state, end).await? else { return Ok(()) };
                if accesses && matches!(opened.source, Source::Changes { .. }) {
                    accesses = match self.read_accesses(state, &opened, end).await {
                        Ok(may_be_read) => may_be_read,
                        Err(problem) => self.beside(problem).map(|()| true)?,
                    };
                }
                if let Err(problem) = self.catch_up(state, &opened, end).await {
                    self.beside(problem)?;
                }
                schedule.read(read, Instant::now());
            }
        }
        let is_old = Timestamp::now().duration_since(opened.since) >= BETTER;
        if is_old && matches!(opened.source, Source::Search(_)) {
            state.send_modify(Following::lose);
        }
        Ok(())
    }

    /// What is read beside the changes does not hold them up: it is tried again at the next reading, unless nothing at all
    /// can be decided.
    fn beside(&self, problem: Undecided) -> Result<(), Undecided> {
        if matches!(problem, Undecided::Stale(_) | Undecided::Temporal(_)) {
            return Err(problem);
        }
        self.metrics.feed.problem("FollowFeed", problem.type_name());
        tracing::warn!(%problem, "the event log cannot be read beside the change feed, trying again later");
        Ok(())
    }

    /// Whether this is the workspace, and the way of following it, that this process was started for.
    fn still_wants(&self, opened: &Opened) -> bool {
        let off = matches!(opened.source, Source::Off);
        opened.workspace == self.workspace && off == (self.follow == Follow::None)
    }

    /// Nothing to read. Events that were read before are still decided.
    async fn idle(&self, state: &watch::Sender<Following>, end: Instant) -> Result<(), Undecided> {
        while Instant::now() < end {
            self.settle_pending(state).await?;
            let until = if state.borrow().pending.is_empty() { end } else { end.min(Instant::now() + AGAIN) };
            tokio::time::sleep_until(until).await;
        }
        // Another key may be allowed more by now.
        state.send_modify(|state| {
            if !state.is_off() {
                state.lose();
            }
        });
        Ok(())
    }

    async fn settle_pending(&self, state: &watch::Sender<Following>) -> Result<(), Undecided> {
        let pending = state.borrow().pending.clone();
        if pending.is_empty() {
            return Ok(());
        }
        let pending = self.settle(&Occasion::Feed, pending).await?;
        self.metrics.feed.pending(pending.len());
        state.send_modify(|state| state.pending = pending);
        Ok(())
    }

    /// Reads all that there is, until `end`. `None` if the source is lost.
    async fn read(&self, state: &watch::Sender<Following>, end: Instant) -> Result<Option<Read>, Undecided> {
        let mut found = false;
        loop {
            if state.borrow().pending.len() >= MAX_PENDING {
                return Ok(Some(Read::Stalled));
            }
            let Some(opened) = state.borrow().opened.clone() else { return Ok(None) };
            let paged = match &opened.source {
                Source::Changes { org, cursor } => {
                    let paged = self.page_of_changes(&opened.profile, org, cursor).await?;
                    paged.map(|cursor| Source::Changes { org: org.clone(), cursor })
                }
                Source::Search(search) => {
                    self.page_of_search(&opened.profile, search, &FILE_EVENTS).await?.map(Source::Search)
                }
                Source::Relist { .. } | Source::Off => return Ok(Some(Read::Nothing)),
            };
            let then = match paged {
                Paged::Lost(reason) => {
                    tracing::warn!(
                        reason,
                        source = opened.source.as_str(),
                        "the feed has to be opened again"
                    );
                    state.send_modify(Following::lose);
                    return Ok(None);
                }
                Paged::Page { next, pending, found: more, then } => {
                    found |= more;
                    self.move_on(state, &opened, next, pending, then);
                    then
                }
            };
            match then {
                Then::Stalled => return Ok(Some(Read::Stalled)),
                Then::More if Instant::now() < end => {}
                Then::More | Then::Rest if found => return Ok(Some(Read::Something)),
                Then::More | Then::Rest => return Ok(Some(Read::Nothing)),
            }
        }
    }

    fn move_on(
        &self,
        state: &watch::Sender<Following>,
        opened: &Opened,
        source: Source,
        pending: Vec<Awaiting>,
        then: Then,
    ) {
        let now = Timestamp::now();
        state.send_modify(|state| {
            state.opened = Some(Opened { source, ..opened.clone() });
            state.pending.extend(pending);
            if then == Then::Rest {
                state.last_read = Some(now);
            }
        });
        self.metrics.feed.pending(state.borrow().pending.len());
        if then == Then::Rest {
            self.metrics.feed.caught_up(now);
        }
    }
}
