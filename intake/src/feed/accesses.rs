//! Reading who accessed files. The change feed tells what changes, and does not say who did it; so for pipelines that want
//! accesses the event log is read beside it.

use fastio_pipeline::event::EventKind;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Feed;
use super::changes::{Paged, Then};
use super::rows::ACCESS_EVENTS;
use super::search::Search;
use super::state::{Following, MAX_WAITING, Opened};
use crate::intake::Undecided;

impl Feed {
    /// Reads the accesses since the last time, if some pipeline wants to know of them and the event log may be asked now:
    /// changes do not wait for accesses. False if this key may not read the log.
    pub(super) async fn read_accesses(
        &self,
        state: &watch::Sender<Following>,
        opened: &Opened,
        end: Instant,
    ) -> Result<bool, Undecided> {
        if !self.are_accesses_wanted()? {
            // Whoever wants them later wants those from then on.
            state.send_if_modified(|state| state.accesses.take().is_some());
            return Ok(true);
        }
        while Instant::now() < end && self.is_search_free() && state.borrow().pending.len() < MAX_WAITING {
            let search = state.borrow().accesses.clone();
            let search = search.unwrap_or_else(|| Search::new(Timestamp::now(), []));
            match self.page_of_search(&opened.profile, &search, &ACCESS_EVENTS).await? {
                Paged::Lost(reason) => {
                    tracing::warn!(
                        reason,
                        "a pipeline wants accesses, and this key may not read the event log"
                    );
                    return Ok(false);
                }
                Paged::Page { next, pending, found: _, then } => {
                    state.send_modify(|state| {
                        state.accesses = Some(next);
                        state.pending.extend(pending);
                    });
                    if then != Then::More {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }

    fn are_accesses_wanted(&self) -> Result<bool, Undecided> {
        let candidates = self.intake.pipelines.current()?;
        let plans = candidates.iter().filter_map(|candidate| candidate.plan.as_ref().ok());
        Ok(plans.into_iter().any(|plan| plan.matcher.wants(EventKind::Access)))
    }
}
