//! Pods that pass PodSecurity `restricted`, and Deployments of them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, HTTPGetAction, PodSecurityContext,
    PodSpec, PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecurityContext, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::labels::Part;
use super::mounts::SecretMount;
use super::owner::Owner;

/// User and group of all images.
const USER: i64 = 65532;

/// Annotation with a fingerprint of what the pods read only when they start.
pub const CONTENT_ANNOTATION: &str = "pipelines.fast.io/content";

/// A Deployment of one part.
#[derive(Debug, Clone)]
pub struct Workload<'a> {
    /// The part.
    pub part: Part,
    /// The parent.
    pub owner: &'a Owner,
    /// Pods.
    pub replicas: i32,
    /// How pods are replaced.
    pub replace: Replace,
    /// Time for a pod to finish what it does.
    pub grace_seconds: i64,
    /// Whether the pods talk to the API server.
    pub api_token: bool,
    /// Fingerprint of what the pods read only when they start.
    pub at_start: String,
    /// Volumes that are not Secrets.
    pub volumes: Vec<Volume>,
    /// The containers.
    pub containers: Vec<Program>,
}

/// How pods are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// One new pod is ready before an old one goes: the pods serve requests.
    OneMoreFirst,
    /// As Kubernetes does it: the pods take work from a queue.
    Default,
}

/// A container of one of our images.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name of the container.
    pub name: &'static str,
    /// Image.
    pub image: Image,
    /// Command line after the program.
    pub args: Vec<String>,
    /// Environment.
    pub env: Vec<EnvVar>,
    /// Port of requests, if any.
    pub port: Option<i32>,
    /// Port of probes and metrics.
    pub admin_port: i32,
    /// CPU and memory.
    pub resources: Needs,
    /// Secrets.
    pub secrets: Vec<SecretMount>,
    /// Other volumes.
    pub mounts: Vec<VolumeMount>,
}

/// An image and when to pull it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Reference.
    pub reference: String,
    /// Pull policy, or Kubernetes' default.
    pub pull_policy: Option<String>,
}

/// What a container asks for. No CPU limit: an idle CPU is of use to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// CPU request.
    pub cpu: String,
    /// Memory request.
    pub memory: String,
    /// Memory limit.
    pub memory_limit: String,
}

impl Workload<'_> {
    /// The Deployment.
    #[must_use]
    pub fn deployment(self) -> Deployment {
        let Self { part, owner, replicas, replace, grace_seconds, api_token, at_start, volumes, containers } =
            self;
        let labels = part.labels(owner.name());
        let name = part.name(owner.name());
        let mut secrets: BTreeMap<String, Volume> = BTreeMap::new();
        for mount in containers.iter().flat_map(|program| &program.secrets) {
            let volume = mount.volume();
            secrets.insert(volume.name.clone(), volume);
        }
        let pod = PodSpec {
            service_account_name: Some(name.clone()),
            automount_service_account_token: Some(api_token),
            enable_service_links: Some(false),
            security_context: Some(pod_security()),
            termination_grace_period_seconds: Some(grace_seconds),
            volumes: Some(secrets.into_values().chain(volumes).collect()),
            containers: containers.into_iter().map(Program::container).collect(),
            ..PodSpec::default()
        };
        let annotations = [(CONTENT_ANNOTATION.to_owned(), at_start)].into();
        Deployment {
            metadata: owner.child(name, labels.clone()),
            spec: Some(DeploymentSpec {
                replicas: Some(replicas),
                revision_history_limit: Some(3),
                selector: part.selector(owner.name()),
                strategy: Some(replace.strategy()),
                template: PodTemplateSpec {
                    metadata: Some(ObjectMeta {
                        labels: Some(labels),
                        annotations: Some(annotations),
                        ..ObjectMeta::default()
                    }),
                    spec: Some(pod),
                },
                ..DeploymentSpec::default()
            }),
            status: None,
        }
    }
}

impl Replace {
    fn strategy(self) -> DeploymentStrategy {
        let rolling_update = match self {
            Self::OneMoreFirst => Some(RollingUpdateDeployment {
                max_surge: Some(IntOrString::Int(1)),
                max_unavailable: Some(IntOrString::Int(0)),
            }),
            Self::Default => None,
        };
        DeploymentStrategy { type_: Some("RollingUpdate".to_owned()), rolling_update }
    }
}

impl Program {
    fn container(self) -> Container {
        let port = |name: &str, container_port| ContainerPort {
            name: Some(name.to_owned()),
            container_port,
            ..ContainerPort::default()
        };
        let admin_name = format!("{}-admin", self.name);
        Container {
            name: self.name.to_owned(),
            image: Some(self.image.reference),
            image_pull_policy: self.image.pull_policy,
            args: Some(self.args),
            env: (!self.env.is_empty()).then_some(self.env),
            ports: Some(
                self.port
                    .map(|number| port("http", number))
                    .into_iter()
                    .chain([port(&admin_name, self.admin_port)])
                    .collect(),
            ),
            // A program that starts during an outage of Temporal is started all the same: it answers at once and waits.
            startup_probe: Some(probe("/healthz", self.admin_port, 1, 60)),
            // Restarting repairs no dependency: only a process that answers nothing for a minute is restarted.
            liveness_probe: Some(probe("/healthz", self.admin_port, 10, 6)),
            readiness_probe: Some(probe("/readyz", self.admin_port, 2, 2)),
            resources: Some(self.resources.requirements()),
            // What a program said last is shown where its end is shown.
            termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
            security_context: Some(container_security()),
            volume_mounts: Some(self.secrets.iter().map(SecretMount::mount).chain(self.mounts).collect()),
            ..Container::default()
        }
    }
}

impl Needs {
    /// CPU request, memory request, memory limit.
    #[must_use]
    pub fn new(cpu: &str, memory: &str, memory_limit: &str) -> Self {
        Self { cpu: cpu.to_owned(), memory: memory.to_owned(), memory_limit: memory_limit.to_owned() }
    }

    fn requirements(self) -> ResourceRequirements {
        let memory = |quantity| ("memory".to_owned(), Quantity(quantity));
        ResourceRequirements {
            requests: Some([("cpu".to_owned(), Quantity(self.cpu)), memory(self.memory)].into()),
            limits: Some([memory(self.memory_limit)].into()),
            claims: None,
        }
    }
}

fn probe(path: &str, port: i32, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(port),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(5),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        run_as_group: Some(USER),
        fs_group: Some(USER),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

/// A volume of the pod's own, gone with the pod.
#[must_use]
pub fn scratch_volume(name: &str, size: Quantity) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: Some(size), medium: None }),
        ..Volume::default()
    }
}
