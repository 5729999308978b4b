//! The controller of [`FastioWebhook`]: a webhook at Fast.io, the receiver that it calls, and the intake.

mod apply;
mod build;
mod cleanup;
mod delivery;
mod observe;
pub mod remote;
mod status;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use fastio_crds::FastioWebhook;
use fastio_crds::conditions::Reason;
use kube::Resource;
use kube::core::error_boundary::InvalidObject;

use crate::context::Context;
use crate::problem::Problem;
use crate::raw::Raw;
use crate::runtime::{Next, Reconciler, finalizer};
use delivery::{Delivery, Past, decide};
use observe::Memory;
use remote::{Registration, Session, feed};
use status::Progress;

/// Secrets cannot be watched: how often children are looked at when nothing else happens.
const RESYNC: Duration = Duration::from_secs(30);

/// Pause before it is decided anew how events come in.
const DECIDE_AGAIN: Duration = Duration::from_millis(200);

/// The controller of `FastioWebhook`s.
#[derive(Clone)]
pub struct Webhooks {
    context: Context,
    memory: Arc<Memory>,
}

impl Webhooks {
    /// A controller that has seen nothing yet.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context, memory: Arc::default() }
    }

    /// What the `Ready` condition says, or what is in the way.
    async fn steps(&self, webhook: &FastioWebhook, progress: &mut Progress) -> Result<String, Problem> {
        let Self { context, memory } = self;
        let observed = observe::observe(context, memory, webhook).await;
        let valid = validate::validate(webhook, observed.temporal, observed.by_hand)?;
        let past = Past::of(webhook.status.as_ref());
        let route = decide(&valid.delivery, observed.remote.as_ref().ok().and_then(Session::found), past);
        progress.routed(route);
        let children = Box::new(build::build(&valid, route, context));
        let applied = apply::apply(&context.client, &children).await?;
        progress.applied(applied.receiver.as_ref());
        let session = observed.remote.as_ref().map_err(Clone::clone)?;
        let feed = feed::required(route, observed.feed, &valid)?;
        if let Some(ingress) = route.registers()
            && (!route.does_without() || session.may_try())
        {
            let wanted = valid.wanted(ingress, &context.root_key);
            let registration = session
                .register(context, &memory.remotes, webhook, &wanted, applied.receivers(), progress)
                .await?;
            match (registration, &valid.delivery) {
                (Registration::Refused(_), _) if route.does_without() => {}
                // There is another way, which this changes to.
                (Registration::Refused(problem), Delivery::Auto(_)) => return Err(changing(problem.message)),
                (Registration::Refused(problem), _) => return Err(problem),
                (Registration::Done, _) if route.does_without() => {
                    return Err(changing("the webhook is registered, and events are pushed from now on"));
                }
                (Registration::Done, _) => {}
            }
        }
        applied.obstacle().map_or(Ok(()), Err)?;
        // Nothing that works is taken away before what replaces it works: that is why this comes last.
        if past.attempted && route.deregisters() {
            session.deregister(context, &memory.remotes, webhook, &valid.workspace, progress).await?;
        }
        apply::prune_children(&context.client, &valid.owner, route).await?;
        progress.pruned(route);
        Ok(status::describe(&valid.workspace, route, feed.as_ref()))
    }
}

/// The way in which events come in is decided anew, at once.
fn changing(why: impl Into<String>) -> Problem {
    Problem::waiting(Reason::RollingOut, why, DECIDE_AGAIN)
}

impl Reconciler for Webhooks {
    type Object = FastioWebhook;
    type Error = kube::Error;
    const NAME: &'static str = "fastiowebhook";

    async fn reconcile(&self, webhook: Arc<FastioWebhook>) -> kube::Result<Next> {
        if webhook.meta().deletion_timestamp.is_some() {
            return cleanup::cleanup(&self.context, &self.memory, Raw::of(&*webhook)).await;
        }
        if !finalizer::is_set(&*webhook) {
            finalizer::add(&self.context.client, &*webhook).await?;
        }
        let mut progress = Progress::new(&webhook);
        let result = self.steps(&webhook, &mut progress).await;
        status::report(&self.context, &webhook, progress, &result).await?;
        Ok(result.map_or_else(|problem| Next::from(problem.outlook), |_| Next::After(RESYNC)))
    }

    async fn reject(&self, invalid: &InvalidObject) -> kube::Result<Next> {
        cleanup::reject(&self.context, &self.memory, invalid).await
    }
}

#[cfg(test)]
mod tests;
