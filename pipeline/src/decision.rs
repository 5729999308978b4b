//! What became of an event: the result of the `FileEvent` workflow, to be read by people in Temporal's UI.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::matching::Filtered;
use crate::names::{ObjectKey, WorkflowId};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Decision {
    /// The file exists; each pipeline of the webhook has its own answer.
    Decided {
        /// Name of the file when it was looked at.
        file: String,
        /// One answer for each pipeline of the webhook.
        pipelines: Vec<Verdict>,
    },
    /// The file was gone when the event was resolved, and stayed away for the grace period.
    Gone,
    /// The event is about a folder, a note or a link.
    NotAFile,
    /// The event names another workspace than the webhook's.
    OtherWorkspace,
    /// The service's virus scan says that the file is infected: no pipeline gets it.
    #[serde(rename_all = "camelCase")]
    Infected {
        /// Name of the file.
        file: String,
        /// The scan's words, if there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<String>,
    },
}

/// What one pipeline makes of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The pipeline.
    pub pipeline: ObjectKey,
    /// Its answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// A pipeline's answer to an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "camelCase")]
pub enum Answer {
    /// A run was started.
    Started {
        /// Its workflow.
        workflow: WorkflowId,
    },
    /// There is a run for this version of the file already.
    Duplicate {
        /// Its workflow.
        workflow: WorkflowId,
    },
    /// The pipeline does not want the file.
    Filtered {
        /// Why not.
        because: Filtered,
    },
    /// The pipeline's manifest is not valid; its `Stalled` condition says the same.
    Invalid {
        /// What is wrong with it.
        problem: String,
    },
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { workflow } => write!(f, "started {workflow}"),
            Self::Duplicate { workflow } => write!(f, "there is {workflow} already"),
            Self::Filtered { because } => write!(f, "not wanted: {because}"),
            Self::Invalid { problem } => write!(f, "invalid pipeline: {problem}"),
        }
    }
}
