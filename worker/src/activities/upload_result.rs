//! `UploadResult`: the result of a step, from the scratch space to the output folder.

use std::sync::Arc;

use fastio_pipeline::plan::StepName;
use fastio_pipeline::run::{ResultFile, RunRequest};
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::heartbeat::beating;
use super::transfer::Transfer;
use crate::failure::{Failure, NOT_CLAIMED};
use crate::scratch::RunFolder;
use crate::transfer::upload::{Output, upload};
use crate::transfer::{Progress, Session};

/// Uploads the result of a step.
#[derive(Clone)]
pub struct UploadResult(pub Transfer);

#[activities]
impl UploadResult {
    /// Gives the file in Fast.io. Where it goes is in the claim.
    #[activity(name = "UploadResult")]
    pub async fn upload_result(
        self: Arc<Self>,
        ctx: ActivityContext,
        step: StepName,
    ) -> Result<ResultFile, ActivityError> {
        let (folder, request) = self.0.claimed(&ctx)?;
        let before: Option<Option<Session>> = ctx.heartbeat_details().deserialize().unwrap_or_else(|error| {
            tracing::warn!(%error, "the last attempt's heartbeat cannot be read; the upload starts anew");
            None
        });
        let progress = Progress::new(before.flatten());
        beating(&ctx, || progress.get(), self.upload(&folder, &request, &step, &progress)).await
    }
}

impl UploadResult {
    async fn upload(
        &self,
        folder: &RunFolder,
        request: &RunRequest,
        name: &StepName,
        progress: &Progress<Option<Session>>,
    ) -> Result<ResultFile, Failure> {
        let step = request.plan.steps.iter().find(|step| step.name == *name);
        let step = step.ok_or_else(|| {
            Failure::terminal("InvalidRequest", &format!("the plan has no step {:?}", name.as_str()))
        })?;
        let file = folder.open_result(step).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::terminal(
                NOT_CLAIMED,
                &format!("the result of step {:?} is not on this host", name.as_str()),
            ),
            _ => Failure::retry("ScratchFailed", &error),
        })?;
        let output = Output { file, spool: &|| folder.spool() };
        Ok(upload(&self.0.client, request, step, output, progress).await?)
    }
}
