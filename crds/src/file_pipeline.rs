//! `FilePipeline`: what to do with a file.

mod matching;
mod steps;
mod workers;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use matching::{Backfill, FileEventKind, MatchRules};
pub use steps::{FitMode, ImageStep, Resize, ResizeFormat, Step};
pub use workers::{Resources, Scratch, Workers};

/// What to do with the files of a workspace: which ones, in which steps, where the results go. Runs a Deployment of
/// workers with a Temporal task queue of its own; each file is one workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "pipelines.fast.io",
    version = "v1alpha1",
    kind = "FilePipeline",
    plural = "filepipelines",
    namespaced,
    doc = "What to do with the files of a workspace.",
    status = "FilePipelineStatus",
    category = "fastio",
    shortname = "fpl",
    selectable = ".spec.webhookRef.name",
    validation = Rule::new("size(self.metadata.name) <= 40").message("metadata.name must be no longer than 40 characters, because the names of the worker objects are derived from it"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message("metadata.name must start with a letter and consist of a-z, 0-9 and '-', because it becomes part of pod names"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Webhook", type_ = "string", json_path = ".spec.webhookRef.name"),
    printcolumn(name = "Workers", type_ = "string", json_path = ".status.workers"),
    printcolumn(name = "Running", type_ = "integer", json_path = ".status.running"),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.failed"),
    printcolumn(name = "Last-Event", type_ = "date", json_path = ".status.lastEventTime"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    printcolumn(name = "Task-Queue", type_ = "string", json_path = ".status.taskQueue", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct FilePipelineSpec {
    /// The `FastioWebhook` in the same namespace that events come from. It brings the workspace, the API key and the
    /// Temporal connection. Cannot be changed. Example: `{name: studio}`.
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.webhookRef must not be changed; create another FilePipeline for another FastioWebhook"))]
    pub webhook_ref: WebhookReference,

    /// Which files. Default: every file that is uploaded.
    #[serde(default, rename = "match")]
    pub match_rules: MatchRules,

    /// Process the files too that were in the workspace before this pipeline: each one that `match` fits, whatever its events,
    /// once in the life of this object. Default: only what happens from now on. Example: `{filesPerMinute: 120}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<Backfill>,

    /// What to make of a file. Each step writes one result file.
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".into()]),
        validation = Rule::new("self.all(s, !has(s.from) || self.exists(t, t.name == s.from))").message("`from` must be the name of another step of this pipeline, or be left out for the source file")
    )]
    pub steps: Vec<Step>,

    /// Where results go.
    pub output: Output,

    /// What to say on the source file. Default: no comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,

    /// The worker pods.
    #[serde(default)]
    pub workers: Workers,
}

/// A `FastioWebhook` in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookReference {
    /// Name of the `FastioWebhook`. Example: `studio`.
    #[schemars(length(min = 1, max = 40))]
    pub name: String,
}

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Folder for the results; made if it does not exist. With a leading slash: from the workspace's root; without: from
    /// the source's folder. `{stem}`, `{name}` and `{ext}` stand for parts of the source's name.
    /// Example: `/processed/{stem}`.
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^/?[^/]+(/[^/]+)*/?$')").message("spec.output.folder must name a folder, for example \"/processed/{stem}\" or \"thumbnails\"; it must not be the root and must not have empty parts"))]
    pub folder: String,
}

/// What to say on the source file. At most 500 characters are shown; longer texts are cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Comment after success, with `{name}`, `{stem}`, `{ext}`, `{output.folder}` and `{results}`. Default: none.
    /// Example: `"Ready in {output.folder}: {results}"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub success: Option<String>,

    /// Comment after failure, with `{name}`, `{stem}`, `{ext}` and `{error}`. Default: none.
    /// Example: `"Processing failed: {error}"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub failure: Option<String>,
}

/// What the operator found and did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilePipelineStatus {
    /// The `metadata.generation` that the operator has seen; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// `Ready`, and `Reconciling` or `Stalled` while they are true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,

    /// Ready and wanted worker pods. Example: `2/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<String>,

    /// Temporal task queue of the pipeline's workflows, to look for them in Temporal's UI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_queue: Option<String>,

    /// Runs that are being worked on, counted by Temporal at most once a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<i64>,

    /// Runs that failed and that Temporal still remembers, counted at most once a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<i64>,

    /// When the newest run started, looked up at most once a minute (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_time: Option<String>,
}
