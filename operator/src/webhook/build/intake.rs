//! The intake, and what it may do in its namespace.

use fastio_crds::{FilePipeline, GROUP};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use kube::Resource;

use super::super::delivery::Follow;
use super::super::validate::Valid;
use super::ADMIN_PORT;
use crate::children::fastio_files;
use crate::children::labels::Part;
use crate::children::owner::Owner;
use crate::children::pods::{Needs, Program, Replace, Workload};
use crate::context::Context;

/// The intake may read the pipelines of its namespace, and nothing else.
pub(super) fn role(owner: &Owner) -> Role {
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

pub(super) fn role_binding(owner: &Owner) -> RoleBinding {
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

pub(super) fn deployment(valid: &Valid, follow: Follow, context: &Context, at_start: String) -> Deployment {
    let fastio = fastio_files::mounts(&valid.api_key, valid.owner.name());
    let own = [
        format!("--installation={}", context.settings.installation),
        format!("--webhook={}", valid.key),
        format!("--workspace={}", valid.workspace),
        format!("--follow={}", follow.as_str()),
        format!("--relist-seconds={}", context.settings.relist_seconds),
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
