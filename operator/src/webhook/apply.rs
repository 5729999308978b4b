//! Step 4: every child, and what came of it; and the end of those that are not wanted any more.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount};
use kube::Client;

use super::build::{Children, ReceiverChildren};
use super::delivery::Route;
use crate::children::apply::{self, ApplyError};
use crate::children::fastio_files::signing_secret_name;
use crate::children::labels::Part;
use crate::children::owner::Owner;
use crate::children::prune::prune;
use crate::children::rollout::Rollout;
use crate::problem::{Explain, Problem};

/// Deployments are watched; this is for a change that the watch has missed.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The children, as the API server has them now.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) receiver: Option<Rollout>,
    pub(super) intake: Rollout,
}

impl Applied {
    /// Receivers that can take events.
    pub(super) fn receivers(&self) -> i32 {
        self.receiver.as_ref().map_or(0, |receiver| receiver.available)
    }

    /// What keeps the webhook from being ready, if anything.
    pub(super) fn obstacle(&self) -> Option<Problem> {
        self.receiver.iter().chain([&self.intake]).find_map(|rollout| rollout.problem(LOOK_AGAIN))
    }
}

/// Applies all children. Deployments come last, so that no pod starts before what it needs is there.
pub(super) async fn apply(client: &Client, children: &Children) -> Result<Applied, Problem> {
    // Every field is named here: a new child cannot be forgotten.
    let Children { plan_key, intake_account, intake_role, intake_role_binding, intake, receiver } = children;
    let all = async {
        apply::apply(client, plan_key).await?;
        apply::apply(client, intake_account).await?;
        apply::apply(client, intake_role).await?;
        apply::apply(client, intake_role_binding).await?;
        let receiver = match receiver {
            Some(receiver) => Some(apply_receiver(client, receiver).await?),
            None => None,
        };
        Ok(Applied { receiver, intake: Rollout::of(&apply::apply(client, intake).await?) })
    };
    all.await.map_err(|error: ApplyError| error.problem())
}

async fn apply_receiver(client: &Client, receiver: &ReceiverChildren) -> Result<Rollout, ApplyError> {
    let ReceiverChildren { signing_secret, account, service, deployment } = receiver;
    if let Some(signing_secret) = signing_secret {
        apply::apply(client, signing_secret).await?;
    }
    apply::apply(client, account).await?;
    apply::apply(client, service).await?;
    Ok(Rollout::of(&apply::apply(client, deployment).await?))
}

/// Removes what the route has no use for. By then nobody is to call the receiver any more; its pods finish what they have.
pub(super) async fn prune_children(client: &Client, owner: &Owner, route: Route<'_>) -> Result<(), Problem> {
    let receiver = Part::Receiver.name(owner.name());
    let all = async {
        if route.drops_receiver() {
            prune::<Deployment>(client, owner, &receiver).await?;
            prune::<Service>(client, owner, &receiver).await?;
            prune::<ServiceAccount>(client, owner, &receiver).await?;
        }
        if route.drops_signing_secret() {
            prune::<Secret>(client, owner, &signing_secret_name(owner.name())).await?;
        }
        Ok(())
    };
    all.await.map_err(|error: ApplyError| error.problem())
}
