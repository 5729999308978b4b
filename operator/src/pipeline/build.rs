//! Step 3: every child object of a `FilePipeline`. Pure.

use fastio_crds::{Resources, Size};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, ServiceAccount, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use secrecy::ExposeSecret;

use super::validate::Valid;
use crate::children::fastio_files;
use crate::children::labels::Part;
use crate::children::pods::{Needs, Program, Replace, Workload, scratch_volume};
use crate::context::Context;

/// Where the scratch volume is in both containers.
const SCRATCH: &str = "/scratch";
/// Room in the volume beside the files that the workers account for: folders, claims, and what is written while a size
/// turns out to be wrong. Who uses more than the volume's limit is evicted, with all its runs.
const SCRATCH_MARGIN_MEBIBYTES: u64 = 64;

const MEBIBYTE: u64 = 1 << 20;

const TRANSFER_ADMIN_PORT: i32 = 9090;
const STEPS_ADMIN_PORT: i32 = 9091;

/// All children.
#[derive(Debug)]
pub(super) struct Children {
    pub(super) worker_account: ServiceAccount,
    pub(super) worker: Deployment,
}

pub(super) fn build(valid: &Valid, context: &Context) -> Children {
    let part = Part::Worker;
    let owner = &valid.owner;
    Children {
        worker_account: ServiceAccount {
            metadata: owner.child(part.name(owner.name()), part.labels(owner.name())),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        },
        worker: worker(valid, context),
    }
}

fn worker(valid: &Valid, context: &Context) -> Deployment {
    // What the processes read only when they start; a change of it rolls the pods.
    let plan_key = context.root_key.plan_key(&valid.webhook.uid);
    let temporal = valid.temporal.content();
    let at_start =
        context.root_key.fingerprint(&[plan_key.expose().as_bytes(), temporal.expose_secret()].concat());
    let volume = Quantity(format!("{}Mi", mebibytes(valid.scratch).saturating_add(SCRATCH_MARGIN_MEBIBYTES)));
    Workload {
        part: Part::Worker,
        owner: &valid.owner,
        replicas: valid.workers.replicas,
        replace: Replace::Default,
        grace_seconds: 60,
        api_token: false,
        at_start,
        volumes: vec![scratch_volume("scratch", volume)],
        containers: vec![transfer(valid, context), steps(valid, context)],
    }
    .deployment()
}

/// Moves bytes, with the keys.
fn transfer(valid: &Valid, context: &Context) -> Program {
    let own =
        [format!("--scratch-size={}", valid.scratch.bytes()), format!("--slots={}", valid.workers.slots)];
    let keys = fastio_files::mounts(&valid.webhook.api_key, &valid.webhook.name);
    let mut program = program(valid, context, "transfer", TRANSFER_ADMIN_PORT);
    program.args.extend(own);
    program.args.extend(fastio_files::flags(&context.settings.fastio_base_url));
    program.secrets.extend(keys);
    program.resources = Needs::new("50m", "64Mi", "512Mi");
    program
}

/// Touches the content of files, without any key of Fast.io.
fn steps(valid: &Valid, context: &Context) -> Program {
    let mut program = program(valid, context, "steps", STEPS_ADMIN_PORT);
    program.resources = step_resources(valid.workers.resources.as_ref());
    program
}

fn program(valid: &Valid, context: &Context, role: &'static str, admin_port: i32) -> Program {
    let own = [
        role.to_owned(),
        format!("--installation={}", context.settings.installation),
        format!("--pipeline={}", valid.key),
        "--host=$(POD_NAME)".to_owned(),
        format!("--scratch={SCRATCH}"),
        format!("--admin-listen=[::]:{admin_port}"),
    ];
    Program {
        name: role,
        image: context.settings.image(Part::Worker),
        args: own.into_iter().chain(valid.temporal.connection.flags()).collect(),
        env: vec![pod_name()],
        port: None,
        admin_port,
        resources: step_resources(None),
        secrets: valid.temporal.connection.mounts(),
        mounts: vec![VolumeMount {
            name: "scratch".to_owned(),
            mount_path: SCRATCH.to_owned(),
            ..VolumeMount::default()
        }],
    }
}

/// The pod's name, which is the name of its queue at Temporal.
fn pod_name() -> EnvVar {
    let field =
        ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: "metadata.name".to_owned() };
    EnvVar {
        name: "POD_NAME".to_owned(),
        value: None,
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
    }
}

/// As the CRD documents it: 100m CPU; 1Gi memory at most, an eighth of it requested.
fn step_resources(wanted: Option<&Resources>) -> Needs {
    let cpu = wanted.and_then(|resources| resources.cpu.as_deref()).unwrap_or("100m");
    let limit = wanted.and_then(|resources| resources.memory.as_deref()).unwrap_or("1Gi");
    Needs::new(cpu, &eighth(limit), limit)
}

fn eighth(quantity: &str) -> String {
    match quantity.parse::<Size>().map(|limit| limit.bytes() / 8) {
        Ok(bytes) if bytes % MEBIBYTE == 0 => format!("{}Mi", bytes / MEBIBYTE),
        Ok(bytes) => format!("{}Ki", bytes / 1024),
        // Of another form than the CRD's pattern: the API server says what is wrong with it.
        Err(_) => quantity.to_owned(),
    }
}

fn mebibytes(size: Size) -> u64 {
    size.bytes().div_ceil(MEBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::eighth;

    #[test]
    fn an_eighth_is_requested() {
        for (limit, request) in [("1Gi", "128Mi"), ("4Gi", "512Mi"), ("100Mi", "12800Ki"), ("1Mi", "128Ki")] {
            assert_eq!(eighth(limit), request);
        }
    }
}
