//! What happens around every reconcile: isolation of panics, a time limit, per-object backoff, metrics.

use std::convert::Infallible;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;
use kube::runtime::Controller;
use kube::runtime::controller::{Action, Config, Error as ControllerError};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::backoff::{PerObject, with_jitter};
use super::metrics::{Ending, Metrics};
use super::watch::key;
use crate::problem::Outlook;

/// Longest time of one reconcile. Calls have limits of their own; this one holds whatever they do.
pub const TIME_LIMIT: Duration = Duration::from_secs(90);

/// Objects of one kind that are reconciled at the same time.
const CONCURRENCY: u16 = 16;

/// When an object is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is well, or waits for something: after this time, and a little more by chance.
    After(Duration),
    /// It failed: after a pause that grows with each failure, and that is not shorter than this.
    Backoff {
        /// The least pause, where a service asked for one.
        at_least: Option<Duration>,
    },
    /// Not before it changes.
    OnChange,
}

impl From<Outlook> for Next {
    fn from(outlook: Outlook) -> Self {
        match outlook {
            Outlook::Passing { at_least } => Self::Backoff { at_least },
            Outlook::Waiting(pause) | Outlook::NeedsAction(pause) => Self::After(pause),
        }
    }
}

/// What one controller does with one object.
pub trait Reconciler: Send + Sync + 'static {
    /// The kind.
    type Object: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static;
    /// Why a reconcile could not even report what is wrong with the object.
    type Error: std::error::Error + Send + 'static;
    /// Name of the controller in metrics.
    const NAME: &'static str;

    /// Brings the world to what the object says.
    fn reconcile(&self, object: Arc<Self::Object>) -> impl Future<Output = Result<Next, Self::Error>> + Send;

    /// Reports an object that is not of this kind's form.
    fn reject(&self, object: &InvalidObject) -> impl Future<Output = Result<Next, Self::Error>> + Send;
}

/// Runs a controller until `stop`, then lets running reconciles finish.
pub async fn run<R: Reconciler>(
    controller: Controller<DeserializeGuard<R::Object>>,
    reconciler: Arc<R>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let attempts = Arc::new(Attempts { reconciler, metrics, backoff: PerObject::default() });
    controller
        .with_config(Config::default().concurrency(CONCURRENCY))
        .graceful_shutdown_on(async move { stop.cancelled().await })
        .run(
            |object, attempts| async move { Ok::<_, Infallible>(attempts.attempt(object).await) },
            |_, error, _| match *error {},
            attempts,
        )
        .for_each(|result| async {
            match result {
                // A child's event that came after its owner was gone.
                Err(ControllerError::ObjectNotFound(object)) => tracing::debug!(%object, "already gone"),
                Err(error) => tracing::error!(controller = R::NAME, %error, "the controller failed"),
                Ok(_) => {}
            }
        })
        .await;
}

/// Attempts to reconcile objects of one kind.
#[derive(Debug)]
pub struct Attempts<R> {
    reconciler: Arc<R>,
    metrics: Metrics,
    backoff: PerObject,
}

impl<R: Reconciler> Attempts<R> {
    /// One attempt. Never fails, and never lets a panic through: kube would end the whole controller.
    async fn attempt(&self, object: Arc<DeserializeGuard<R::Object>>) -> Action {
        let (started, running) = (Instant::now(), self.metrics.start(R::NAME));
        let (uid, object_key) = (object.uid().unwrap_or_default(), key(object.meta()));
        let work = async {
            match &object.0 {
                Ok(object) => self.reconciler.reconcile(Arc::new(object.clone())).await,
                Err(invalid) => self.reconciler.reject(invalid).await,
            }
        };
        let outcome = AssertUnwindSafe(tokio::time::timeout(TIME_LIMIT, work)).catch_unwind().await;
        let failed = Next::Backoff { at_least: None };
        let (next, ending) = match outcome {
            Ok(Ok(Ok(next @ Next::Backoff { .. }))) => (next, Ending::Error),
            Ok(Ok(Ok(next))) => (next, Ending::RequeueAfter),
            Ok(Ok(Err(error))) => {
                tracing::warn!(controller = R::NAME, object = object_key, %error, "reconcile failed");
                (failed, Ending::Error)
            }
            Ok(Err(_)) => {
                tracing::error!(controller = R::NAME, object = object_key, limit = ?TIME_LIMIT, "reconcile timed out");
                (failed, Ending::Timeout)
            }
            // The panic hook has logged what and where.
            Err(_) => {
                tracing::error!(controller = R::NAME, object = object_key, "reconcile panicked");
                (failed, Ending::Panic)
            }
        };
        running.end(ending, started.elapsed());
        self.action(next, &uid)
    }

    fn action(&self, next: Next, uid: &str) -> Action {
        match next {
            Next::Backoff { at_least } => {
                Action::requeue(self.backoff.failed(uid).max(at_least.unwrap_or_default()))
            }
            Next::After(pause) => {
                self.backoff.succeeded(uid);
                Action::requeue(with_jitter(pause))
            }
            Next::OnChange => {
                self.backoff.succeeded(uid);
                Action::await_change()
            }
        }
    }
}

#[cfg(test)]
mod tests;
