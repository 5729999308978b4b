//! The part of a run that needs a host.

use fastio_pipeline::plan::Step;
use fastio_pipeline::results::FolderPath;
use fastio_pipeline::run::{ResultFile, RunOutcome, RunReport, RunRequest};
use fastio_pipeline::seal::SealedRun;
use temporalio_sdk::WorkflowContext;
use temporalio_sdk::workflows::join_all;

use super::FilePipeline;
use super::ending::{Ending, RunFailure};
use super::options::{self, AT_ONCE, HOSTS};
use super::status::Phase;
use crate::activities::{ClaimHost, DownloadSource, Host, ReleaseHost, RunStep, UploadResult};

impl FilePipeline {
    /// Claims a host and does the work there; when the host is lost, claims another one and starts over. What was
    /// uploaded already is found again, not made again.
    ///
    /// `host` is the one that is held at the end, however it ended.
    pub(super) async fn on_hosts(
        ctx: &WorkflowContext<Self>,
        sealed: &SealedRun,
        request: &RunRequest,
        host: &mut Option<Host>,
    ) -> Result<RunReport, Ending> {
        let mut lost = 0;
        loop {
            Self::enter(ctx, Phase::Claiming, None, &[]);
            let claimed =
                ctx.execute_activity(ClaimHost::claim_host, sealed.clone(), options::claim_host()).await?;
            ctx.state_mut(|run| run.status.hosts += 1);
            let claimed = host.insert(claimed);
            let why = match Self::on_host(ctx, claimed, request).await {
                Err(Ending::HostLost(why)) => why,
                ended => return ended,
            };
            // Whatever the host still holds of the run, its sweep gives up once the run is closed.
            *host = None;
            lost += 1;
            if lost == HOSTS {
                let message =
                    format!("{HOSTS} hosts were lost one after the other, the last one because {why}");
                return Err(Ending::Failed(RunFailure::new("HostLost", message)));
            }
            if ctx.cancellation_token().is_cancelled() {
                return Err(Ending::Cancelled);
            }
            // A cancelled pause ends at once; the next claim then ends as cancelled.
            ctx.timer(options::pause_after(lost)).await;
        }
    }

    async fn on_host(
        ctx: &WorkflowContext<Self>,
        host: &Host,
        request: &RunRequest,
    ) -> Result<RunReport, Ending> {
        Self::enter(ctx, Phase::Downloading, Some(host), &[]);
        let download = options::transfer(&host.transfer, &request.source.name);
        let bytes = ctx.execute_activity(DownloadSource::download_source, (), download).await?;
        ctx.state_mut(|run| run.status.downloaded_bytes = bytes);
        for wave in request.plan.steps.waves() {
            for group in wave.chunks(AT_ONCE) {
                Self::enter(ctx, Phase::Processing, Some(host), group);
                let steps = group.iter().map(|step| {
                    let options = options::step(&host.steps, step.name.as_str());
                    ctx.execute_activity(RunStep::run_step, step.name.clone(), options)
                });
                all(join_all(steps).await.into_iter().map(|ended| ended.map_err(Ending::from)))?;
            }
        }
        let steps: Vec<&Step> = request.plan.steps.iter().collect();
        let mut results = Vec::with_capacity(steps.len());
        for group in steps.chunks(AT_ONCE) {
            Self::enter(ctx, Phase::Uploading, Some(host), group);
            let uploads = group.iter().map(|step| {
                let options = options::transfer(&host.transfer, step.name.as_str());
                ctx.execute_activity(UploadResult::upload_result, step.name.clone(), options)
            });
            let uploaded = join_all(uploads).await.into_iter().map(|ended| ended.map_err(Ending::from));
            let uploaded: Vec<ResultFile> = all(uploaded)?;
            ctx.state_mut(|run| run.status.results.extend(uploaded.iter().cloned()));
            results.extend(uploaded);
        }
        let folder = output_folder(request);
        Ok(RunReport { outcome: RunOutcome::Processed, folder, results, comment: None })
    }

    /// Releases the host, whether the run was cancelled or not. A host that cannot be told is left to its own sweep.
    pub(super) async fn release(ctx: &WorkflowContext<Self>, host: Option<&Host>) {
        let Some(host) = host else { return };
        Self::enter(ctx, Phase::Releasing, Some(host), &[]);
        let options = options::release_host(&host.transfer);
        // The host's sweep asks whether this run is open: it will not be.
        let _ = ctx.execute_activity(ReleaseHost::release_host, (), options).await;
    }

    pub(super) fn enter(ctx: &WorkflowContext<Self>, phase: Phase, host: Option<&Host>, steps: &[&Step]) {
        ctx.state_mut(|run| {
            let status = &mut run.status;
            status.phase = phase;
            status.host = host.map(|host| host.name.clone());
            status.steps = steps.iter().map(|step| step.name.to_string()).collect();
            if matches!(phase, Phase::Claiming) {
                status.downloaded_bytes = 0;
                status.results.clear();
            }
        });
    }
}

/// Where the results go.
pub(super) fn output_folder(request: &RunRequest) -> FolderPath {
    request.plan.output.resolve(&request.source.folder, &request.source.name)
}

/// All values, or the ending that decides: what can never work before a lost host, for another host would not help.
fn all<T>(ended: impl Iterator<Item = Result<T, Ending>>) -> Result<Vec<T>, Ending> {
    let mut values = Vec::new();
    let mut worst: Option<Ending> = None;
    for ended in ended {
        match ended {
            Ok(value) => values.push(value),
            Err(ending) if worst.as_ref().is_none_or(|worst| rank(&ending) > rank(worst)) => {
                worst = Some(ending);
            }
            Err(_) => {}
        }
    }
    worst.map_or(Ok(values), Err)
}

fn rank(ending: &Ending) -> u8 {
    match ending {
        Ending::HostLost(_) => 0,
        Ending::Failed(_) => 1,
        Ending::Cancelled => 2,
        Ending::Stuck(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_work_decides() {
        let failed = || Err(Ending::Failed(RunFailure::new("PictureUnreadable", "x")));
        let lost = || Err(Ending::HostLost("y".to_owned()));
        let all = |ended: Vec<Result<u8, Ending>>| all(ended.into_iter());
        assert_eq!(all(vec![Ok(1), Ok(2)]).unwrap(), [1, 2]);
        assert!(matches!(all(vec![lost(), failed(), Ok(1)]), Err(Ending::Failed(_))));
        assert!(matches!(all(vec![Ok(1), lost()]), Err(Ending::HostLost(_))));
        assert!(matches!(all(vec![failed(), Err(Ending::Cancelled)]), Err(Ending::Cancelled)));
    }
}
