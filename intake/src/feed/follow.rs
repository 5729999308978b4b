//! Reading what happens, as it happens.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::changes::{Paged, Then};
use super::nudge::Nudge;
use super::pace::{Read, Schedule};
use super::rows::FILE_EVENTS;
use super::state::{Awaiting, Following, MAX_WAITING, Opened, Source};
use super::{Feed, Follow};
use crate::intake::Undecided;

/// How long the event log is read before the change feed is tried again, which tells more and sooner.
const BETTER: SignedDuration = SignedDuration::from_hours(1);

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
            let until = next_try(state, schedule.due().min(end));
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
            tokio::time::sleep_until(next_try(state, end)).await;
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
        let now = Timestamp::now();
        let (due, mut pending): (Vec<_>, Vec<_>) =
            state.borrow().pending.iter().cloned().partition(|awaiting| awaiting.due() <= now);
        if due.is_empty() {
            return Ok(());
        }
        pending.extend(self.settle(due).await?);
        self.metrics.feed.pending(pending.len());
        state.send_modify(|state| state.pending = pending);
        Ok(())
    }

    /// Reads all that there is, until `end`. `None` if the source is lost.
    async fn read(&self, state: &watch::Sender<Following>, end: Instant) -> Result<Option<Read>, Undecided> {
        let mut found = false;
        loop {
            let waiting = state.borrow().pending.len();
            if waiting >= MAX_WAITING {
                tracing::warn!(waiting, "too many events wait for their files, reading waits for them");
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

/// When some event has to be tried again, at the latest `until`.
fn next_try(state: &watch::Sender<Following>, until: Instant) -> Instant {
    let Some(due) = state.borrow().pending.iter().map(Awaiting::due).min() else { return until };
    let pause = due.duration_since(Timestamp::now()).try_into().unwrap_or(Duration::ZERO);
    until.min(Instant::now() + pause)
}

#[cfg(test)]
mod tests {
    use fastio_pipeline::event::EventKind;

    use super::*;
    use crate::occasion::Occasion;
    use crate::world::world;

    #[tokio::test]
    async fn whoever_waits_wakes_for_what_has_to_be_tried_again() {
        let (world, now) = (world(Vec::new()).await, Instant::now());
        let until = now + Duration::from_mins(1);
        let state = watch::Sender::new(Following::default());
        assert_eq!(next_try(&state, until), until);
        let awaiting = Awaiting::new(&Occasion::Feed, world.event(EventKind::Upload, "2abc"));
        let tried = Awaiting { tried: Some(Timestamp::now()), ..awaiting.clone() };
        state.send_modify(|state| state.pending = vec![tried]);
        let wake = next_try(&state, until);
        assert!(
            (1_500..3_000).contains(&wake.duration_since(now).as_millis()),
            "{:?}",
            wake.duration_since(now)
        );
        state.send_modify(|state| state.pending.push(awaiting));
        assert!(next_try(&state, until) < wake, "the first of them");
        assert_eq!(next_try(&state, now), now);
    }
}
