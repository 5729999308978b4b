//! Step 3: every child object of a `FastioWebhook`. Pure.

use fastio_crds::{FilePipeline, GROUP};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount, ServicePort, ServiceSpec};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Resource;
use secrecy::ExposeSecret;

use super::remote::path;
use super::validate::Valid;
use crate::children::fastio_files::{self, PLAN_KEY, plan_key_name, signing_secret_name};
use crate::children::labels::{self, Part};
use crate::children::mounts::SecretMount;
use crate::children::owner::Owner;
use crate::children::pods::{Needs, Program, Replace, Workload};
use crate::context::Context;
use crate::keys::DerivedKey;

/// Port of the receiver's Service and container.
const RECEIVER_PORT: i32 = 8080;
/// Port of probes and metrics.
const ADMIN_PORT: i32 = 9090;

const SIGNING_DIR: &str = "/var/run/secrets/fastio/signing";

/// All children.
#[derive(Debug)]
pub(super) struct Children {
    pub(super) signing_secret: Secret,
    pub(super) plan_key: Secret,
    pub(super) receiver_account: ServiceAccount,
    pub(super) intake_account: ServiceAccount,
    pub(super) intake_role: Role,
    pub(super) intake_role_binding: RoleBinding,
    pub(super) receiver_service: Service,
    pub(super) receiver: Deployment,
    pub(super) intake: Deployment,
}

pub(super) fn build(valid: &Valid, context: &Context) -> Children {
    let owner = &valid.owner;
    let (signing, plan) =
        (context.root_key.signing_secret(owner.uid()), context.root_key.plan_key(owner.uid()));
    // What a process reads only when it starts; a change of it rolls the pods.
    let at_start = |key: &DerivedKey| {
        let temporal = valid.temporal.content();
        context.root_key.fingerprint(&[key.expose().as_bytes(), temporal.expose_secret()].concat())
    };
    Children {
        receiver: receiver(valid, context, at_start(&signing)),
        intake: intake(valid, context, at_start(&plan)),
        signing_secret: key_secret(owner, signing_secret_name(owner.name()), "current", &signing),
        plan_key: key_secret(owner, plan_key_name(owner.name()), PLAN_KEY, &plan),
        receiver_account: account(owner, Part::Receiver),
        intake_account: account(owner, Part::Intake),
        intake_role: intake_role(owner),
        intake_role_binding: intake_role_binding(owner),
        receiver_service: receiver_service(owner),
    }
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

/// The intake may read the pipelines of its namespace, and nothing else.
fn intake_role(owner: &Owner) -> Role {
    let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    Role {
        metadata: owner.child(Part::Intake.name(owner.name()), Part::Intake.labels(owner.name())),
        rules: Some(vec![PolicyRule {
            api_groups: Some(list(&[GROUP])),
            resources: Some(vec![FilePipeline::plural(&()).into_owned()]),
            verbs: list(&["get", "list", "watch"]),
            ..PolicyRule::default()
        }]),
    }
}

fn intake_role_binding(owner: &Owner) -> RoleBinding {
    let name = Part::Intake.name(owner.name());
    RoleBinding {
        metadata: owner.child(name.clone(), Part::Intake.labels(owner.name())),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "Role".to_owned(),
            name: name.clone(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name,
            namespace: Some(owner.namespace().to_owned()),
            api_group: None,
        }]),
    }
}

fn receiver_service(owner: &Owner) -> Service {
    let part = Part::Receiver;
    Service {
        metadata: owner.child(part.name(owner.name()), part.labels(owner.name())),
        spec: Some(ServiceSpec {
            selector: Some(part.pod_labels(owner.name())),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: RECEIVER_PORT,
                target_port: Some(IntOrString::String("http".to_owned())),
                protocol: Some("TCP".to_owned()),
                app_protocol: Some("http".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn receiver(valid: &Valid, context: &Context, at_start: String) -> Deployment {
    let signing = signing_secret_name(valid.owner.name());
    let own = [
        format!("--installation={}", context.settings.installation),
        format!("--webhook={}", valid.key),
        format!("--path={}", path(valid.owner.uid())),
        format!("--events={}", valid.event_words()),
        format!("--signing-secret-dir={SIGNING_DIR}"),
        format!("--listen=[::]:{RECEIVER_PORT}"),
        format!("--admin-listen=[::]:{ADMIN_PORT}"),
    ];
    let secret = SecretMount::new("signing", SIGNING_DIR, &signing, &[("current", "current")]);
    let program = Program {
        name: Part::Receiver.as_str(),
        image: context.settings.image(Part::Receiver),
        args: own.into_iter().chain(valid.temporal.connection.flags()).collect(),
        env: Vec::new(),
        port: Some(RECEIVER_PORT),
        admin_port: ADMIN_PORT,
        drain_seconds: Some(5),
        resources: Needs::new("20m", "24Mi", "128Mi"),
        secrets: [secret].into_iter().chain(valid.temporal.connection.mounts()).collect(),
        mounts: Vec::new(),
    };
    Workload {
        part: Part::Receiver,
        owner: &valid.owner,
        replicas: valid.receivers,
        replace: Replace::OneMoreFirst,
        grace_seconds: 40,
        api_token: false,
        at_start,
        volumes: Vec::new(),
        containers: vec![program],
    }
    .deployment()
}

fn intake(valid: &Valid, context: &Context, at_start: String) -> Deployment {
    let fastio = fastio_files::mounts(&valid.api_key, valid.owner.name());
    let own = [
        format!("--installation={}", context.settings.installation),
        format!("--webhook={}", valid.key),
        format!("--workspace={}", valid.workspace),
        format!("--admin-listen=[::]:{ADMIN_PORT}"),
    ];
    let program = Program {
        name: Part::Intake.as_str(),
        image: context.settings.image(Part::Intake),
        args: own
            .into_iter()
            .chain(fastio_files::flags(&context.settings.fastio_base_url))
            .chain(valid.temporal.connection.flags())
            .collect(),
        env: Vec::new(),
        port: None,
        admin_port: ADMIN_PORT,
        drain_seconds: None,
        resources: Needs::new("20m", "48Mi", "256Mi"),
        secrets: fastio.into_iter().chain(valid.temporal.connection.mounts()).collect(),
        mounts: Vec::new(),
    };
    Workload {
        part: Part::Intake,
        owner: &valid.owner,
        replicas: 1,
        replace: Replace::OneMoreFirst,
        grace_seconds: 40,
        api_token: true,
        at_start,
        volumes: Vec::new(),
        containers: vec![program],
    }
    .deployment()
}
