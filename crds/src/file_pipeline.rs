//! `FilePipeline`: what to do with a file.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

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

/// What happened to a file: `upload` (also copied or restored), `modify` (a new version) or `move`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FileEventKind {
    /// A file appeared.
    Upload,
    /// A file has a new version.
    Modify,
    /// A file is in another folder.
    Move,
}

/// Which files a pipeline wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MatchRules {
    /// Wanted events. Default: `[upload]`.
    #[serde(default = "default_events")]
    #[schemars(length(min = 1, max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub events: Vec<FileEventKind>,

    /// Wanted file names as glob patterns, with `*`, `?`, `[a-z]` and `{a,b}`. Letter case does not matter. Default: all
    /// names. Example: `["*.jpg", "*.png"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 255)))]
    #[x_kube(validation = Rule::new("self.all(n, !n.contains('/'))").message("a name pattern must not contain '/': it is compared with the file's name, not with its path"))]
    pub names: Vec<String>,
}

fn default_events() -> Vec<FileEventKind> {
    vec![FileEventKind::Upload]
}

impl Default for MatchRules {
    fn default() -> Self {
        Self { events: default_events(), names: Vec::new() }
    }
}

/// One step: makes one result file of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.image)].filter(x, x).size() == 1").message("a step must have exactly one action; the known action is `image`"))]
pub struct Step {
    /// Name of the step: part of the result's file name. Example: `thumbnail`.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,

    /// The step whose result is the input. Default: the source file. Example: `web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub from: Option<String>,

    /// Work on a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageStep>,
}

/// Work on a picture (JPEG, PNG, WebP, GIF).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageStep {
    /// Scale the picture to fit into a box. It is never enlarged, and turned upright as its EXIF data says.
    pub resize: Resize,
}

/// The box and the format of a scaled picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.fit != 'Cover' || has(self.height)").message("`height` must be set when `fit` is Cover: the picture is cut to the box"))]
pub struct Resize {
    /// Width of the box in pixels. Example: `1600`.
    #[schemars(range(min = 1, max = 16384))]
    pub width: i32,

    /// Height of the box in pixels. Default: as high as the picture becomes. Example: `1200`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16384))]
    pub height: Option<i32>,

    /// `Inside`: the whole picture, as large as fits. `Cover`: the whole box, with the picture's edges cut off evenly.
    /// Default: `Inside`.
    #[serde(default)]
    pub fit: FitMode,

    /// Format of the result: `jpeg`, `png` or `webp`. Default: `webp`.
    #[serde(default)]
    pub format: ResizeFormat,

    /// Quality of JPEG and WebP, from 1 (small) to 100 (good). Default: 80.
    #[serde(default = "default_quality")]
    #[schemars(range(min = 1, max = 100))]
    pub quality: i32,
}

fn default_quality() -> i32 {
    80
}

/// How a picture meets a box of another shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum FitMode {
    /// The whole picture.
    #[default]
    Inside,
    /// The whole box.
    Cover,
}

/// Format of a scaled picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResizeFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    #[default]
    Webp,
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
