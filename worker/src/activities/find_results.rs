//! `FindResults`: whether an earlier run made everything already.

use std::sync::Arc;

use fastio_pipeline::run::ResultFile;
use fastio_pipeline::seal::SealedRun;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::heartbeat::beating;
use super::transfer::Transfer;
use crate::transfer::find::find;

/// Looks for results of a run that Temporal has forgotten. Needs nothing of a host, so it runs on the pipeline's queue.
#[derive(Clone)]
pub struct FindResults(pub Transfer);

#[activities]
impl FindResults {
    /// Gives the results if all of them are there.
    #[activity(name = "FindResults")]
    pub async fn find_results(
        self: Arc<Self>,
        ctx: ActivityContext,
        sealed: SealedRun,
    ) -> Result<Option<Vec<ResultFile>>, ActivityError> {
        let (_, request) = self.0.open(&ctx, &sealed)?;
        beating(&ctx, || (), find(&self.0.client, &request)).await
    }
}
