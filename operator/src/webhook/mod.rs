//! The controller of [`FastioWebhook`]: a webhook at Fast.io, the receiver that it calls, and the intake.

mod apply;
mod build;
mod cleanup;
mod observe;
pub mod remote;
mod status;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use fastio_crds::FastioWebhook;
use kube::Resource;
use kube::core::error_boundary::InvalidObject;

use crate::context::Context;
use crate::problem::Problem;
use crate::raw::Raw;
use crate::runtime::{Next, Reconciler, finalizer};
use remote::Remotes;
use status::Progress;

/// Secrets cannot be watched: how often children are looked at when nothing else happens.
const RESYNC: Duration = Duration::from_secs(30);

/// The controller of `FastioWebhook`s.
#[derive(Clone)]
pub struct Webhooks {
    context: Context,
    remotes: Arc<Remotes>,
}

impl Webhooks {
    /// A controller that has seen nothing yet.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context, remotes: Arc::default() }
    }

    async fn steps(&self, webhook: &FastioWebhook, progress: &mut Progress) -> Result<(), Problem> {
        let observed = observe::observe(&self.context, &self.remotes, webhook).await;
        let valid = validate::validate(webhook, observed.temporal)?;
        progress.url = Some(valid.url.to_string());
        let children = Box::new(build::build(&valid, &self.context));
        let applied = apply::apply(&self.context.client, &children).await?;
        progress.receivers = Some(applied.receiver.pods.clone());
        let wanted = valid.wanted(&self.context.root_key);
        let session = observed.remote?;
        session.converge(&self.context, &self.remotes, webhook, &wanted, &applied.receiver, progress).await?;
        applied.obstacle().map_or(Ok(()), Err)
    }
}

impl Reconciler for Webhooks {
    type Object = FastioWebhook;
    type Error = kube::Error;
    const NAME: &'static str = "fastiowebhook";

    async fn reconcile(&self, webhook: Arc<FastioWebhook>) -> kube::Result<Next> {
        if webhook.meta().deletion_timestamp.is_some() {
            return cleanup::cleanup(&self.context, &self.remotes, Raw::of(&*webhook)).await;
        }
        if !finalizer::is_set(&*webhook) {
            finalizer::add(&self.context.client, &*webhook).await?;
        }
        let mut progress = Progress::default();
        let result = self.steps(&webhook, &mut progress).await;
        status::report(&self.context, &webhook, progress, result.as_ref().err()).await?;
        Ok(result.map_or_else(|problem| Next::from(problem.outlook), |()| Next::After(RESYNC)))
    }

    async fn reject(&self, invalid: &InvalidObject) -> kube::Result<Next> {
        cleanup::reject(&self.context, &self.remotes, invalid).await
    }
}

#[cfg(test)]
mod tests;
