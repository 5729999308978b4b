//! The controller of [`FilePipeline`]: its workers, and a queue of their own at Temporal.

mod apply;
mod build;
mod cleanup;
mod observe;
mod runs;
mod status;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use fastio_crds::{FastioWebhook, FilePipeline};
use kube::Resource;
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;
use kube::runtime::reflector::Store;

use crate::context::Context;
use crate::problem::Problem;
use crate::raw::Raw;
use crate::runtime::{Next, Reconciler, finalizer};
use runs::Runs;
use status::Progress;

/// Secrets cannot be watched: how often children and Secrets are looked at when nothing else happens.
const RESYNC: Duration = Duration::from_secs(30);

/// The controller of `FilePipeline`s.
#[derive(Clone)]
pub struct Pipelines {
    context: Context,
    webhooks: Store<DeserializeGuard<FastioWebhook>>,
    runs: Arc<Runs>,
}

impl Pipelines {
    /// A controller that finds its webhooks in a store.
    #[must_use]
    pub fn new(context: Context, webhooks: Store<DeserializeGuard<FastioWebhook>>) -> Self {
        Self { context, webhooks, runs: Arc::default() }
    }

    async fn steps(&self, pipeline: &FilePipeline, progress: &mut Progress) -> Result<(), Problem> {
        let observed = observe::observe(&self.context, &self.webhooks, pipeline).await;
        let valid = validate::validate(pipeline, &self.context.settings.installation, observed)?;
        progress.task_queue = Some(valid.queue.to_string());
        let children = Box::new(build::build(&valid, &self.context));
        let applied = apply::apply(&self.context.client, &children).await?;
        progress.workers = Some(applied.worker.pods.clone());
        progress.counts = self.runs.counts(&self.context, &valid).await;
        valid.webhook.problem().or_else(|| applied.obstacle()).map_or(Ok(()), Err)
    }
}

impl Reconciler for Pipelines {
    type Object = FilePipeline;
    type Error = kube::Error;
    const NAME: &'static str = "filepipeline";

    async fn reconcile(&self, pipeline: Arc<FilePipeline>) -> kube::Result<Next> {
        if pipeline.meta().deletion_timestamp.is_some() {
            return cleanup::cleanup(&self.context, &self.webhooks, &self.runs, Raw::of(&*pipeline)).await;
        }
        if !finalizer::is_set(&*pipeline) {
            finalizer::add(&self.context.client, &*pipeline).await?;
        }
        let mut progress = Progress::default();
        let result = self.steps(&pipeline, &mut progress).await;
        status::report(&self.context, &pipeline, progress, result.as_ref().err()).await?;
        Ok(result.map_or_else(|problem| Next::from(problem.outlook), |()| Next::After(RESYNC)))
    }

    async fn reject(&self, invalid: &InvalidObject) -> kube::Result<Next> {
        cleanup::reject(&self.context, &self.webhooks, &self.runs, invalid).await
    }
}

#[cfg(test)]
mod tests;
