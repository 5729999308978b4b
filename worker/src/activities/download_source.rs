//! `DownloadSource`: the source file into the scratch space of the claimed host.

use std::sync::Arc;

use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::heartbeat::beating;
use super::transfer::Transfer;
use crate::failure::Failure;
use crate::transfer::Progress;
use crate::transfer::download::{DownloadError, Downloading, download};

/// How often a whole file may turn out to be another one before that is final. A file costs credits each time.
const MISMATCHES: u32 = 3;

/// Downloads the source file of a run.
#[derive(Clone)]
pub struct DownloadSource(pub Transfer);

#[activities]
impl DownloadSource {
    /// Gives the number of bytes that are there. What to download is in the claim.
    #[activity(name = "DownloadSource")]
    pub async fn download_source(self: Arc<Self>, ctx: ActivityContext) -> Result<u64, ActivityError> {
        let (folder, request) = self.0.claimed(&ctx)?;
        let before: Option<Downloading> = ctx.heartbeat_details().deserialize().unwrap_or_else(|error| {
            tracing::warn!(%error, "the last attempt's heartbeat cannot be read; the scratch space counts");
            None
        });
        let progress = Progress::new(before.unwrap_or_default());
        let work = async {
            let done = download(&self.0.client, &request.source, &folder, &progress).await;
            done.map_err(|error| counted(error, &progress))
        };
        beating(&ctx, || progress.get(), work).await?;
        Ok(request.source.size)
    }
}

/// Counts mismatches over the attempts, by way of the heartbeat's details.
fn counted(error: DownloadError, progress: &Progress<Downloading>) -> Failure {
    if !matches!(error, DownloadError::Mismatch(_)) {
        return error.into();
    }
    progress.update(|at| at.mismatches += 1);
    if progress.get().mismatches < MISMATCHES {
        error.into()
    } else {
        Failure::terminal("ContentMismatch", &format!("{error} ({MISMATCHES} times)"))
    }
}

#[cfg(test)]
mod tests {
    use fastio_temporal::failure::Class;

    use super::*;

    #[test]
    fn a_wrong_file_is_final_the_third_time() {
        let progress = Progress::new(Downloading::default());
        let classes = [(); 3].map(|()| counted(DownloadError::Mismatch("x".to_owned()), &progress).class);
        let retry = Class::Retry { after: None };
        assert_eq!(classes, [retry, retry, Class::Terminal]);
    }
}
