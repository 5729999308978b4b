//! Reading in the event log what happened while there was no position in the change feed. A listing finds files that came or
//! changed; that one was moved, deleted or read is found only here.

use tokio::sync::watch;
use tokio::time::Instant;

use super::Feed;
use super::changes::{Paged, Then};
use super::rows::FILE_EVENTS;
use super::state::{Following, MAX_WAITING, Opened};
use crate::intake::Undecided;

impl Feed {
    /// Goes on with it, as far as the event log may be asked now.
    pub(super) async fn catch_up(
        &self,
        state: &watch::Sender<Following>,
        opened: &Opened,
        end: Instant,
    ) -> Result<(), Undecided> {
        while Instant::now() < end && self.is_search_free() && state.borrow().pending.len() < MAX_WAITING {
            let Some(search) = state.borrow().catching_up.clone() else { break };
            match self.page_of_search(&opened.profile, &search, &FILE_EVENTS).await? {
                Paged::Lost(reason) => {
                    tracing::warn!(
                        reason,
                        "this key may not read the event log: what was moved, deleted or read while there was no position \
                         in the change feed is not found"
                    );
                    state.send_modify(|state| state.catching_up = None);
                }
                Paged::Page { next, pending, found: _, then } => {
                    state.send_modify(|state| {
                        state.catching_up = (then != Then::Rest).then_some(next);
                        state.pending.extend(pending);
                    });
                    if then == Then::Stalled {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
