//! Listing the workspace now and then: the feeds do not promise to tell everything, and a position in one can expire.

use std::time::Duration;

use fastio::Node;
use fastio_pipeline::event::{EventKind, FileEvent};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Feed;
use super::listing::BETWEEN_PAGES;
use super::state::{MAX_LEFT_OVER, Relisting, Sweep};
use crate::intake::Undecided;
use crate::occasion::Occasion;
use crate::resolve::changed;

/// How far the clocks of service and cluster may differ, and how late a file may appear in a list.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

impl Feed {
    /// Lists until all is listed, for the length of a `round` at most. `state` moves on with each page that is decided, or left
    /// over to following as far as it cannot be.
    pub(super) async fn relist(
        &self,
        state: &watch::Sender<Relisting>,
        round: Duration,
    ) -> Result<(), Undecided> {
        let end = Instant::now() + round;
        let Some(watermark) = state.borrow().watermark else { return Ok(()) };
        let begun = Sweep { started: Timestamp::now(), page: None };
        let mut sweep = state.borrow().sweep.clone().unwrap_or(begun);
        while state.borrow().left_over.len() < MAX_LEFT_OVER {
            let start_over = || {
                state.send_modify(|state| state.sweep = Some(Sweep { page: None, ..sweep.clone() }));
            };
            let page = self.page_of_inventory(sweep.page.as_ref(), start_over).await?;
            let events = page.nodes.iter().filter_map(|node| self.found(node, watermark)).collect();
            let mut left_over = self.settle_listed(&Occasion::Relist, events).await?;
            sweep.page = page.next;
            if sweep.page.is_none() {
                tracing::info!(since = %watermark, "the workspace was listed");
                self.metrics.feed.listed(sweep.started);
                let watermark = Some(sweep.started);
                state.send_modify(|state| {
                    state.left_over.append(&mut left_over);
                    (state.watermark, state.sweep) = (watermark, None);
                });
                return Ok(());
            }
            state.send_modify(|state| {
                state.left_over.append(&mut left_over);
                state.sweep = Some(sweep.clone());
            });
            if Instant::now() >= end {
                break;
            }
            tokio::time::sleep(BETWEEN_PAGES).await;
        }
        Ok(())
    }

    /// What to decide about a file, if it changed since the watermark.
    fn found(&self, node: &Node, watermark: Timestamp) -> Option<FileEvent> {
        let since = watermark.checked_sub(OVERLAP).unwrap_or(watermark);
        // A file without a time may be a new one.
        if changed(node).is_some_and(|at| at < since) {
            return None;
        }
        let is_new = node.created.is_none_or(|at| at >= since);
        let kind = if is_new { EventKind::Upload } else { EventKind::Modify };
        self.listed("relist", kind, node)
    }
}
