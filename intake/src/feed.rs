//! The feed: what happens in the workspace, fetched instead of waited for.
//!
//! One `Feed` workflow for each webhook ([`workflow`]) runs three activities next to each other ([`activities`]), each for
//! some minutes and then again, so that its history stays short:
//!
//! - *follow* reads what happened since the last time ([`follow`]) from the organisation's change feed or, for a key that may
//!   not read that, from the event log; [`open`] finds out which. In between it waits for a nudge ([`nudge`]).
//!   What a lost position would have told is read from the event log ([`catch_up`]).
//! - *relist* lists the workspace now and then and finds what both of them miss ([`relist`]).
//! - *backfill* goes through everything that is there, for pipelines that ask for it ([`backfill`]).
//!
//! All three end in the same decision as a delivered event ([`settle`]), with the same workflow ids: whatever comes in two
//! ways is one run. What is known is in the workflow ([`state`]); a process that ends loses nothing, nor does a workflow that is
//! ended by force ([`keep`]).

mod accesses;
pub mod activities;
mod backfill;
mod catch_up;
mod changes;
mod follow;
pub mod keep;
mod listing;
pub mod metrics;
mod nudge;
mod open;
mod pace;
mod relist;
mod rows;
mod search;
mod settle;
pub mod state;
pub mod watch;
pub mod workflow;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastio::{Client, WorkspaceId};
use tokio::time::Instant;

use self::pace::Bucket;
use crate::intake::Intake;
use crate::metrics::Metrics;

/// How a webhook's workspace is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Follow {
    /// Not at all: every event is delivered. Backfills run all the same.
    None,
    /// As a safety net below deliveries: read every 20 seconds.
    Net,
    /// As the only source of events: read as soon as something happened.
    Live,
}

/// Follows one workspace.
pub struct Feed {
    intake: Arc<Intake>,
    client: Client,
    /// As it is configured: an id or a name.
    workspace: WorkspaceId,
    follow: Follow,
    relist_every: Duration,
    metrics: Metrics,
    searches: Mutex<Bucket>,
    /// Changes in a page.
    page: u32,
}

/// Changes in a page. Below the service's maximum, so that what was read is decided, and counts, soon.
const PAGE: u32 = 250;

impl Feed {
    /// Follows `workspace` for an intake, with a listing every `relist_every`.
    #[must_use]
    pub fn new(
        intake: Arc<Intake>,
        client: Client,
        workspace: WorkspaceId,
        follow: Follow,
        relist_every: Duration,
        metrics: Metrics,
    ) -> Self {
        let searches = Mutex::new(Bucket::searches(Instant::now()));
        Self { intake, client, workspace, follow, relist_every, metrics, searches, page: PAGE }
    }

    /// Waits until the event log may be asked once more.
    async fn search_slot(&self) {
        let at = self.bucket().take(Instant::now());
        tokio::time::sleep_until(at).await;
    }

    /// Whether it may be asked at once.
    fn is_search_free(&self) -> bool {
        self.bucket().is_free(Instant::now())
    }

    /// Tells that rows could not be read. They are left out, for one odd row must not hold up all others for ever.
    fn left_out(&self, rows: usize, of: &'static str) {
        if rows > 0 {
            self.metrics.feed.left_out(rows);
            tracing::error!(rows, of, "rows cannot be read and are left out");
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.searches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
