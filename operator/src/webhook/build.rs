//! Step 3: every child object of a `FastioWebhook`. Pure.

mod intake;
mod receiver;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use secrecy::{ExposeSecret, SecretSlice};

use super::delivery::{Origin, Route};
use super::validate::Valid;
use crate::children::fastio_files::{PLAN_KEY, plan_key_name, signing_secret_name};
use crate::children::labels::{self, Part};
use crate::children::owner::Owner;
use crate::context::Context;
use crate::keys::DerivedKey;

/// Port of probes and metrics.
const ADMIN_PORT: i32 = 9090;

/// Key of the signing secret in the Secret that the operator makes.
const SIGNING_KEY: &str = "current";

/// All children.
#[derive(Debug)]
pub(super) struct Children {
    pub(super) plan_key: Secret,
    pub(super) intake_account: ServiceAccount,
    pub(super) intake_role: Role,
    pub(super) intake_role_binding: RoleBinding,
    pub(super) intake: Deployment,
    /// Only where events are pushed.
    pub(super) receiver: Option<ReceiverChildren>,
}

/// The children that take deliveries.
#[derive(Debug)]
pub(super) struct ReceiverChildren {
    /// Only for a webhook that the operator registers.
    pub(super) signing_secret: Option<Secret>,
    pub(super) account: ServiceAccount,
    pub(super) service: Service,
    pub(super) deployment: Deployment,
}

pub(super) fn build(valid: &Valid, route: Route<'_>, context: &Context) -> Children {
    let owner = &valid.owner;
    let plan = context.root_key.plan_key(owner.uid());
    // What a process reads only when it starts; a change of it rolls the pods.
    let at_start = |secret: &[u8]| {
        let temporal = valid.temporal.content();
        context.root_key.fingerprint(&[secret, temporal.expose_secret()].concat())
    };
    let receiver = route.ingress().map(|ingress| {
        let derived = context.root_key.signing_secret(owner.uid());
        let (signing_secret, value) = match &ingress.origin {
            Origin::Registered => {
                let name = signing_secret_name(owner.name());
                let value = SecretSlice::from(derived.expose().as_bytes().to_vec());
                (Some(key_secret(owner, name, SIGNING_KEY, &derived)), value)
            }
            Origin::ByHand { values, .. } => (None, joined(values)),
        };
        ReceiverChildren {
            signing_secret,
            account: account(owner, Part::Receiver),
            service: receiver::service(owner),
            deployment: receiver::deployment(valid, ingress, context, at_start(value.expose_secret())),
        }
    });
    Children {
        intake: intake::deployment(valid, route.follow(), context, at_start(plan.expose().as_bytes())),
        plan_key: key_secret(owner, plan_key_name(owner.name()), PLAN_KEY, &plan),
        intake_account: account(owner, Part::Intake),
        intake_role: intake::role(owner),
        intake_role_binding: intake::role_binding(owner),
        receiver,
    }
}

/// Secrets one after another, each with its length before it: no two lists come out the same.
fn joined(values: &[SecretSlice<u8>]) -> SecretSlice<u8> {
    let parts = values.iter().map(ExposeSecret::expose_secret);
    parts.flat_map(|value| [&value.len().to_be_bytes()[..], value].concat()).collect::<Vec<_>>().into()
}

fn key_secret(owner: &Owner, name: String, key: &str, value: &DerivedKey) -> Secret {
    Secret {
        metadata: owner.child(name, labels::shared(owner.name())),
        type_: Some("Opaque".to_owned()),
        data: Some([(key.to_owned(), k8s_openapi::ByteString(value.expose().into()))].into()),
        ..Secret::default()
    }
}

fn account(owner: &Owner, part: Part) -> ServiceAccount {
    ServiceAccount {
        metadata: owner.child(part.name(owner.name()), part.labels(owner.name())),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
