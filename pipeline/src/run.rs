//! A run: one pipeline, one file. The input and the result of the `FilePipeline` workflow.

use serde::{Deserialize, Serialize};

use crate::event::{FileEvent, FileId, FileVersion, Workspace};
use crate::names::{ObjectKey, WorkflowId};
use crate::plan::{Plan, StepName};
use crate::results::FolderPath;

/// The file that a run is about, as it was when the event was resolved. A run never looks at another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceFile {
    /// The workspace.
    pub workspace: Workspace,
    /// The file.
    pub id: FileId,
    /// The version to process, if the service named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<FileVersion>,
    /// Name, with extension.
    pub name: String,
    /// The folder that it is in.
    pub folder: FolderPath,
    /// Size in bytes.
    pub size: u64,
    /// Hash of the content, if the service named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<ContentHash>,
    /// MIME type, if the service named one. Example: `image/jpeg`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mimetype: Option<String>,
    /// The file is in the trash: the run is about its deletion. [`Self::folder`] is the one that it was in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trashed: bool,
}

/// A hash of a file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentHash {
    /// As the service names it, for example `sha256`.
    pub algorithm: String,
    /// Hexadecimal digits.
    pub value: String,
}

/// Everything that a run needs to know. Travels sealed ([`crate::seal::SealedRun`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// The run's own workflow id. Sealed with the rest, so that a request cannot be used under another id.
    pub workflow_id: WorkflowId,
    /// The `FastioWebhook` that the event came by.
    pub webhook: ObjectKey,
    /// The event.
    pub event: FileEvent,
    /// The file.
    pub source: SourceFile,
    /// What to do with it.
    pub plan: Plan,
    /// Whether results of an earlier run may exist that Temporal has forgotten, so that the run has to look for them first.
    /// A file that has only just come needs no look.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_results: bool,
}

/// A file that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultFile {
    /// The step that made it.
    pub step: StepName,
    /// Its name in the output folder.
    pub name: String,
    /// Its id in Fast.io.
    pub id: FileId,
    /// Size in bytes.
    pub size: u64,
}

/// Whether a run had anything to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunOutcome {
    /// The results were made.
    #[default]
    Processed,
    /// An earlier run has made all results of this version by the same plan.
    AlreadyProcessed,
}

/// How a run ended: the result of the `FilePipeline` workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// Whether anything was done.
    #[serde(default)]
    pub outcome: RunOutcome,
    /// Where the results are.
    pub folder: FolderPath,
    /// The results, in the order of the plan.
    pub results: Vec<ResultFile>,
    /// Id of the comment on the source file, if the pipeline asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
