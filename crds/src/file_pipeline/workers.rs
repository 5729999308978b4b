//! `spec.workers`: the pods that do the work.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The worker pods of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workers {
    /// Number of worker pods. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub replicas: i32,

    /// Files that one pod works on at the same time. Default: 4.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = 256))]
    pub slots: i32,

    /// Disk space of a pod for sources and results.
    #[serde(default)]
    pub scratch: Scratch,

    /// Resources of the container that works on the content of files. Default: requests of 100m CPU and 128Mi memory,
    /// a limit of 1Gi memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
}

fn one() -> i32 {
    1
}

fn four() -> i32 {
    4
}

impl Default for Workers {
    fn default() -> Self {
        Self { replicas: one(), slots: four(), scratch: Scratch::default(), resources: None }
    }
}

/// Disk space of a worker pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scratch {
    /// Size as a Kubernetes quantity. A file that does not fit is not processed. Default: `10Gi`.
    #[serde(default = "ten_gibibytes")]
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[1-9][0-9]*(Mi|Gi|Ti)$"))]
    pub size: String,
}

fn ten_gibibytes() -> String {
    "10Gi".to_owned()
}

impl Default for Scratch {
    fn default() -> Self {
        Self { size: ten_gibibytes() }
    }
}

/// CPU and memory of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Requested CPU. Default: `100m`. Example: `"2"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[0-9]+(\\.[0-9]+)?m?$"))]
    pub cpu: Option<String>,

    /// Memory limit. The request is an eighth of it. Default: `1Gi`. Example: `4Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[1-9][0-9]*(Mi|Gi)$"))]
    pub memory: Option<String>,
}
