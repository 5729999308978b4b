//! `FastioWebhook`: where events come from.

mod receiver;
mod temporal;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::file_pipeline::FileEventKind;
use crate::references::SecretKeyReference;

pub use receiver::{Receiver, SecretEncoding, Signature, SignatureScheme};
pub use temporal::{TemporalConnection, TemporalTls};

/// A workspace of Fast.io whose events become Temporal workflows. Registers a webhook with Fast.io and runs the receiver
/// that it calls and the intake that decides what an event means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "pipelines.fast.io",
    version = "v1alpha1",
    kind = "FastioWebhook",
    plural = "fastiowebhooks",
    namespaced,
    doc = "A workspace of Fast.io whose events become Temporal workflows.",
    status = "FastioWebhookStatus",
    category = "fastio",
    shortname = "fwh",
    selectable = ".spec.workspaceId",
    validation = Rule::new("size(self.metadata.name) <= 40").message("metadata.name must be no longer than 40 characters, because the names of the receiver and intake objects are derived from it"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message("metadata.name must start with a letter and consist of a-z, 0-9 and '-', because the receiver's Service is named after it"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Workspace", type_ = "string", json_path = ".spec.workspaceId"),
    printcolumn(name = "Delivery", type_ = "string", json_path = ".status.delivery"),
    printcolumn(name = "Receivers", type_ = "string", json_path = ".status.receivers"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url", priority = 1),
    printcolumn(name = "Remote-ID", type_ = "string", json_path = ".status.webhookId", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.endpoint) || self.delivery in ['Auto', 'Pull']").message("spec.endpoint must be set for delivery Push and Both: Fast.io has to know what to call, for example {url: https://hooks.studio.example}"),
    validation = Rule::new("has(self.endpoint) || !has(self.receiver.signature.secretRef)").message("spec.endpoint must be set for a webhook that was made by hand (spec.receiver.signature.secretRef)")
)]
pub struct FastioWebhookSpec {
    /// Id of the Fast.io workspace to watch: its decimal digits, in quotes. Cannot be changed; make another
    /// `FastioWebhook` for another workspace. Example: `"1234567890123456789"`.
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[0-9]+$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("spec.workspaceId must not be changed; create another FastioWebhook for another workspace"))]
    pub workspace_id: String,

    /// Secret in the same namespace with the Fast.io API key. The key is read again for every call: changing the Secret is
    /// enough to rotate it. Example: `{name: fastio-api, key: apiKey}`.
    pub api_key_secret_ref: SecretKeyReference,

    /// Events to take: `upload` (also copy and restore), `modify` (a new version), `move`, `delete` (to the trash), `access`
    /// (a download by somebody else). Pipelines can match only events that are listed here. Default: `[upload, modify]`.
    #[serde(default = "default_events")]
    #[schemars(length(min = 1, max = 5))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub events: Vec<FileEventKind>,

    /// How events come in. `Push`: Fast.io calls the receiver. `Pull`: the intake follows Fast.io's change feed. `Both`: push,
    /// with the feed as a safety net for deliveries that never arrive. `Auto`: the feed in any case, and push as well if
    /// there is an `endpoint` and the service has webhooks. Default: `Auto`.
    #[serde(default)]
    pub delivery: Delivery,

    /// Where Fast.io reaches the receiver. Needed for push. Default: none, so that events are pulled.
    /// Example: `{url: "https://hooks.studio.example"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,

    /// The receiver, which checks signatures and hands events to Temporal.
    #[serde(default)]
    pub receiver: Receiver,

    /// Temporal connection. Default: the connection that the operator was installed with (chart values `temporal.*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporal: Option<TemporalConnection>,

    /// What happens to the webhook at Fast.io when this object is deleted: `Delete` removes it, `Retain` leaves it.
    /// Default: `Delete`.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

fn default_events() -> Vec<FileEventKind> {
    vec![FileEventKind::Upload, FileEventKind::Modify]
}

/// How events come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Delivery {
    /// The feed in any case, push where it is possible.
    #[default]
    Auto,
    /// Fast.io calls the receiver.
    Push,
    /// The intake follows the change feed.
    Pull,
    /// Push, with the feed as a safety net.
    Both,
}

/// Where Fast.io reaches the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Public base URL that leads to the receiver's Service (`<name>-receiver`, port 8080), without a path. The operator
    /// adds `/v1/hooks/<uid of this object>`. Example: `https://hooks.studio.example`.
    #[schemars(length(min = 1, max = 512), regex(pattern = "^https?://[^/?#@\\s]+/?$"))]
    pub url: String,
}

/// What happens to the webhook at Fast.io when its object is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum DeletionPolicy {
    /// It is removed.
    #[default]
    Delete,
    /// It is left, and goes on calling the URL.
    Retain,
}

/// What the operator found and did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct FastioWebhookStatus {
    /// The `metadata.generation` that the operator has seen; -1 before the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// `Ready`, and `Reconciling` or `Stalled` while they are true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,

    /// URL that Fast.io delivers events to. Example: `https://hooks.studio.example/v1/hooks/5f0c…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,

    /// Id of the webhook at Fast.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,

    /// Fingerprint of the signing secret that Fast.io was told, so that a changed secret is noticed: the first 16
    /// hexadecimal digits of its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key_fingerprint: Option<String>,

    /// How events come in at the moment: `Push`, `Pull` or `Both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,

    /// Ready and wanted receiver pods. Example: `2/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receivers: Option<String>,
}
