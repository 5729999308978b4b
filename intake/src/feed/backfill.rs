//! Going through everything that is there, for pipelines that ask for it: each at its own rate, next to each other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

use fastio::{Node, PageCursor};
use fastio_pipeline::event::EventKind;
use fastio_pipeline::names::ObjectKey;
use fastio_pipeline::plan::Plan;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Feed;
use super::listing::BETWEEN_PAGES;
use super::state::{Backfill, Backfills, MAX_LEFT_OVER};
use crate::decide::Candidate;
use crate::intake::Undecided;
use crate::occasion::Occasion;
use crate::resolve::{Found, ResolveError};

/// How often the pipelines are looked at when none wants anything.
const IDLE: Duration = Duration::from_secs(5);

/// Steps in a minute at low rates, so that the files of a minute do not all come at once.
const STEPS: u32 = 12;

/// Most files in a step: what the service describes in one call.
const MAX_STEP: u32 = 25;

/// A backfill that is under way in this round.
struct Running {
    /// Files of its page that are still to be looked at.
    nodes: VecDeque<Node>,
    /// Where its next page is.
    next: Option<PageCursor>,
    /// When it may go on.
    due: Instant,
}

impl Feed {
    /// Goes on with the backfills that the pipelines ask for, for the length of a `round`. `state` moves on with each step.
    pub(super) async fn backfill(
        &self,
        state: &watch::Sender<Backfills>,
        round: Duration,
    ) -> Result<(), Undecided> {
        let end = Instant::now() + round;
        let mut running: HashMap<String, Running> = HashMap::new();
        while Instant::now() < end && left_over(&state.borrow()) < MAX_LEFT_OVER {
            let candidates = self.intake.pipelines.current()?;
            forget(state, &candidates);
            let wanted = wanted(&state.borrow(), &candidates);
            let now = Instant::now();
            let due = |asked: &Asked| running.get(&asked.uid).map_or(now, |running| running.due);
            let Some(asked) = wanted.into_iter().min_by_key(due) else {
                tokio::time::sleep_until(end.min(now + IDLE)).await;
                continue;
            };
            tokio::time::sleep_until(due(&asked).min(end).min(now + IDLE)).await;
            if due(&asked) > Instant::now() {
                // Look at the pipelines again: it may be deleted, or another one may want something.
                continue;
            }
            let before = running.remove(&asked.uid);
            if let Some(now) = self.step(state, &asked, before).await? {
                running.insert(asked.uid, now);
            } else {
                // Whoever asks for the progress learns at once that it is done.
                return Ok(());
            }
        }
        Ok(())
    }

    /// One step of one backfill; `None` if it was the last.
    async fn step(
        &self,
        state: &watch::Sender<Backfills>,
        asked: &Asked,
        running: Option<Running>,
    ) -> Result<Option<Running>, Undecided> {
        let mut running = match running {
            Some(running) if !running.nodes.is_empty() => running,
            _ => self.page(state, asked).await?,
        };
        let (files, last) = self.take(&asked.plan, asked.step(), &mut running.nodes).await?;
        let events =
            files.iter().filter_map(|node| self.listed("backfill", EventKind::Upload, node)).collect();
        let left_over = self.settle_listed(&Occasion::Backfill(asked.pipeline.clone()), events).await?;

        let count = files.len() as u64;
        self.metrics.feed.backfilled(count);
        let page_done = running.nodes.is_empty();
        let done = page_done && running.next.is_none();
        state.send_modify(|state| {
            if let Some(backfill) = state.get_mut(&asked.uid) {
                backfill.files += count;
                backfill.done = done;
                backfill.left_over.extend(left_over);
                backfill.after = last.map(|node| node.id).filter(|_| !page_done);
                if page_done {
                    backfill.page.clone_from(&running.next);
                }
            }
        });
        if done {
            tracing::info!(pipeline = %asked.pipeline, "the backfill is done");
            return Ok(None);
        }
        running.due = Instant::now() + asked.pause(files.len(), page_done);
        Ok(Some(running))
    }

    /// The page that the backfill is at, without the files that were looked at.
    async fn page(&self, state: &watch::Sender<Backfills>, asked: &Asked) -> Result<Running, Undecided> {
        let begun = || Backfill {
            pipeline: asked.pipeline.clone(),
            started: Timestamp::now(),
            page: None,
            after: None,
            files: 0,
            done: false,
            left_over: Vec::new(),
        };
        state.send_modify(|state| {
            state.entry(asked.uid.clone()).or_insert_with(begun);
        });
        let at = state.borrow().get(&asked.uid).cloned().unwrap_or_else(begun);
        let start_over = || {
            state.send_modify(|state| {
                if let Some(backfill) = state.get_mut(&asked.uid) {
                    (backfill.page, backfill.after) = (None, None);
                }
            });
        };
        let page = self.page_of_inventory(at.page.as_ref(), start_over).await?;
        let mut nodes = VecDeque::from(page.nodes);
        // If the file is not there any more, the page begins anew: to look at a file twice does no harm.
        if let Some(seen) = at.after.and_then(|after| nodes.iter().position(|node| node.id == after)) {
            nodes.drain(..=seen);
        }
        Ok(Running { nodes, next: page.next, due: Instant::now() })
    }

    /// Takes the next `step` files that the plan wants, and says which was the last that was looked at.
    pub(super) async fn take(
        &self,
        plan: &Plan,
        step: usize,
        nodes: &mut VecDeque<Node>,
    ) -> Result<(Vec<Node>, Option<Node>), Undecided> {
        let (mut files, mut last) = (Vec::new(), None);
        while files.len() < step
            && let Some(node) = nodes.pop_front()
        {
            // What the list says about a file is enough to leave it out. What it becomes is decided by a closer look.
            let wanted = match self.intake.files.describe(node.clone()).await {
                Ok(Found::File { source, .. }) => plan.matcher.check_file(&source).is_ok(),
                Ok(Found::Infected { .. } | Found::NotAFile | Found::Unknown) => false,
                // Perhaps the closer look says more.
                Err(ResolveError::Unusable(_)) => true,
                Err(error) => return Err(error.into()),
            };
            if wanted {
                files.push(node.clone());
            }
            last = Some(node);
        }
        Ok((files, last))
    }
}

/// A backfill that a pipeline asks for and that is not done.
struct Asked {
    uid: String,
    pipeline: ObjectKey,
    plan: Plan,
    per_minute: NonZeroU32,
}

impl Asked {
    fn step(&self) -> usize {
        (self.per_minute.get() / STEPS).clamp(1, MAX_STEP) as usize
    }

    /// How long so many files are to take. A page is not for nothing either, even if it has none.
    fn pause(&self, files: usize, page_done: bool) -> Duration {
        let least = if page_done { BETWEEN_PAGES } else { Duration::ZERO };
        least.max(Duration::from_mins(1) * u32::try_from(files).unwrap_or(MAX_STEP) / self.per_minute.get())
    }
}

fn wanted(state: &Backfills, candidates: &[Candidate]) -> Vec<Asked> {
    let asked = |candidate: &Candidate| {
        let per_minute = candidate.backfill?;
        let plan = candidate.plan.as_ref().ok()?.clone();
        let done = state.get(&candidate.uid).is_some_and(|backfill| backfill.done);
        let (uid, pipeline) = (candidate.uid.clone(), candidate.pipeline.clone());
        (!done).then_some(Asked { uid, pipeline, plan, per_minute })
    };
    candidates.iter().filter_map(asked).collect()
}

fn left_over(state: &Backfills) -> usize {
    state.values().map(|backfill| backfill.left_over.len()).sum()
}

/// Forgets the backfills of pipelines that do not exist any more.
fn forget(state: &watch::Sender<Backfills>, candidates: &[Candidate]) {
    let known: HashSet<&str> = candidates.iter().map(|candidate| candidate.uid.as_str()).collect();
    state.send_if_modified(|state| {
        let before = state.len();
        state.retain(|uid, _| known.contains(uid.as_str()));
        state.len() != before
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::candidate;

    #[test]
    fn steps_are_small_and_as_slow_as_they_are_meant_to_be() {
        for (per_minute, step, pause) in [(1, 1, 60_000), (60, 5, 5_000), (600, 25, 2_500), (6_000, 25, 250)]
        {
            let asked = Asked {
                uid: "uid".to_owned(),
                pipeline: "media/photos".parse().unwrap(),
                plan: candidate("photos", "[]", "/out").plan.unwrap(),
                per_minute: NonZeroU32::new(per_minute).unwrap(),
            };
            assert_eq!(asked.step(), step, "{per_minute}");
            assert_eq!(asked.pause(step, false), Duration::from_millis(pause), "{per_minute}");
            assert_eq!(asked.pause(step, true), Duration::from_millis(pause.max(500)), "{per_minute}");
            assert_eq!(asked.pause(0, true), BETWEEN_PAGES, "a page without a file that is wanted");
        }
    }
}
