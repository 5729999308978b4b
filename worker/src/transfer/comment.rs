//! The comment on the source file.

use fastio::{Client, Comment, ErrorClass, NewComment, truncate_displayed};
use fastio_pipeline::results::{FolderPath, name_value};
use fastio_pipeline::run::RunRequest;
use fastio_pipeline::template::Placeholder;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{BadId, RemoteFile};

/// Property of our comments: the workflow id of the run that wrote it.
const RUN: &str = "fastio_operator_run";

/// What a comment tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The run has made what it was asked for.
    Succeeded {
        /// The output folder.
        folder: FolderPath,
        /// Names of the results.
        results: Vec<String>,
    },
    /// The run has failed for good.
    Failed {
        /// Why, in one sentence.
        error: String,
    },
}

/// Why there is no comment (yet).
#[derive(Debug, thiserror::Error)]
pub enum CommentError {
    /// Fast.io does not take it.
    #[error(transparent)]
    Fastio(#[from] fastio::Error),
    /// The run names something that Fast.io cannot have.
    #[error(transparent)]
    Id(#[from] BadId),
}

/// Comments on the source file, once for each run. Gives the comment's id; `None` if the plan asks for no comment, or
/// if the file that it would be on is gone, or is in the trash and takes none there.
pub async fn comment(
    client: &Client,
    request: &RunRequest,
    outcome: &Outcome,
) -> Result<Option<String>, CommentError> {
    let Some(body) = text(request, outcome) else { return Ok(None) };
    let file = RemoteFile::try_from(&request.source)?;
    let run = request.workflow_id.as_str();
    let written = async {
        // The service knows no idempotency key: an earlier attempt may have written it and not lived to tell.
        let comments = client.comments(&file.workspace, &file.node).await?;
        if let Some(found) = comments.into_iter().find(|comment| is_of_run(comment, run)) {
            return Ok(found);
        }
        let new = NewComment { body, properties: Some(json!({ RUN: run })) };
        client.create_comment(&file.workspace, &file.node, new).await
    };
    match written.await {
        Ok(comment) => Ok(Some(comment.id.to_string())),
        Err(error) if error.class() == ErrorClass::Gone => {
            tracing::info!(file = %file.node, "no comment: the file is gone");
            Ok(None)
        }
        Err(error) if request.source.trashed && is_refusal(&error) => {
            tracing::info!(file = %file.node, %error, "no comment: the file is in the trash");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The service will not have a comment here: that is about the file, and no later attempt would do better. A key that is
/// refused as such is not meant.
fn is_refusal(error: &fastio::Error) -> bool {
    match error.class() {
        ErrorClass::Conflict | ErrorClass::Invalid => true,
        ErrorClass::NeedsHuman(_) => error.status() == Some(403),
        _ => false,
    }
}

fn is_of_run(comment: &Comment, run: &str) -> bool {
    comment.properties.get(RUN).and_then(serde_json::Value::as_str) == Some(run)
}

fn text(request: &RunRequest, outcome: &Outcome) -> Option<String> {
    let source = &request.source.name;
    let text = match outcome {
        Outcome::Succeeded { folder, results } => {
            request.plan.success_comment.as_ref()?.render(|placeholder| match placeholder {
                Placeholder::OutputFolder => folder.to_string(),
                Placeholder::Results => results.join(", "),
                other => name_value(other, source),
            })
        }
        Outcome::Failed { error } => {
            request.plan.failure_comment.as_ref()?.render(|placeholder| match placeholder {
                Placeholder::Error => error.clone(),
                other => name_value(other, source),
            })
        }
    };
    // A template may come out empty, as "{ext}" does for a file without one.
    let text = truncate_displayed(text.trim()).into_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
