//! Starting a workflow exactly once, or keeping one running.
//!
//! The workflow id is the idempotency key: `RejectDuplicate` refuses an id that a closed workflow had, `Fail` one that a
//! running workflow has, and both come back as "already started". That makes an ambiguous failure harmless: whoever is
//! not sure whether a start went through starts again. A workflow that never ends is started with `AllowDuplicate`: one that
//! somebody terminated comes back.

use std::time::Duration;

use temporalio_client::errors::WorkflowStartError;
use temporalio_client::tonic::Code;
use temporalio_client::{Client, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowStartOptions};
use temporalio_common::UntypedWorkflow;
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::rpc::one_attempt;

/// Most characters of a summary: Temporal refuses a start whose summary has more than 400 bytes, and a file's name alone
/// may have that many.
const MAX_SUMMARY: usize = 90;

/// A workflow to start.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// Registered name of the workflow.
    pub workflow_type: &'a str,
    /// The idempotency key.
    pub workflow_id: &'a str,
    /// Queue that the workflow's workers poll.
    pub task_queue: &'a str,
    /// The single argument, as JSON text.
    pub input: Vec<u8>,
    /// Longest time that the call may take. There are no retries inside.
    pub timeout: Duration,
    /// One line for Temporal's UI; shortened to what Temporal takes.
    pub summary: Option<String>,
    /// Longest time that the workflow may take; unbounded if `None`.
    pub execution_timeout: Option<Duration>,
}

/// What came of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// The workflow did not exist and runs now.
    New {
        /// Temporal's run id.
        run_id: Option<String>,
    },
    /// A workflow of this id runs, or ran within the namespace's retention.
    Duplicate {
        /// Temporal's run id.
        run_id: Option<String>,
    },
}

/// A start that failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Unreachable, too slow, overloaded, or not allowed: try again. The start may have gone through all the same.
    #[error("Temporal is not available: {0}")]
    Unavailable(String),
    /// Too large or otherwise not acceptable: trying again cannot help.
    #[error("Temporal refuses the workflow: {0}")]
    Refused(String),
}

/// Starts a workflow once: not again after it has ended, as long as Temporal remembers it.
pub async fn start(client: &Client, start: Start<'_>) -> Result<Started, StartError> {
    start_unless(client, start, WorkflowIdReusePolicy::RejectDuplicate).await
}

/// Starts a workflow unless it runs.
pub async fn keep_running(client: &Client, start: Start<'_>) -> Result<Started, StartError> {
    start_unless(client, start, WorkflowIdReusePolicy::AllowDuplicate).await
}

async fn start_unless(
    client: &Client,
    start: Start<'_>,
    reuse: WorkflowIdReusePolicy,
) -> Result<Started, StartError> {
    let timeout = start.timeout;
    let options = WorkflowStartOptions::new(start.task_queue, start.workflow_id)
        .id_reuse_policy(reuse)
        .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
        .maybe_execution_timeout(start.execution_timeout)
        .maybe_static_summary(start.summary.as_deref().map(shorten))
        .rpc_options(one_attempt(timeout))
        .build();
    let payload = Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: start.input,
        ..Default::default()
    };
    let workflow = UntypedWorkflow::new(start.workflow_type);
    let call = client.start_workflow(workflow, RawValue::new(vec![payload]), options);
    // The deadline of the call is the server's and the transport's business; this one is ours and always holds.
    match tokio::time::timeout(timeout, call).await {
        Err(_) => Err(StartError::Unavailable(format!("no answer within {timeout:?}"))),
        Ok(Ok(handle)) => Ok(Started::New { run_id: handle.run_id().map(str::to_owned) }),
        Ok(Err(WorkflowStartError::AlreadyStarted { run_id, .. })) => Ok(Started::Duplicate { run_id }),
        Ok(Err(WorkflowStartError::Rpc(status))) => Err(classify(status.code(), status.message())),
        Ok(Err(error)) => Err(StartError::Refused(error.to_string())),
    }
}

fn shorten(summary: &str) -> String {
    let mut characters = summary.chars();
    let mut short: String = characters.by_ref().take(MAX_SUMMARY).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Only what is wrong with this very workflow is refused for good. `NotFound` is a namespace that does not exist yet,
/// `PermissionDenied` and `Unauthenticated` a credential that somebody will repair: the file must not be lost by them.
fn classify(code: Code, message: &str) -> StartError {
    let too_large = message.contains("larger than max");
    match code {
        Code::InvalidArgument | Code::OutOfRange => StartError::Refused(message.to_owned()),
        Code::ResourceExhausted if too_large => StartError::Refused(message.to_owned()),
        _ => StartError::Unavailable(format!("{code:?}: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_fit() {
        assert_eq!(shorten("upload of beach.jpg"), "upload of beach.jpg");
        // The longest characters in UTF-8 have four bytes.
        let long = shorten(&"\u{10ffff}".repeat(255));
        assert!(long.ends_with('…') && long.len() <= 400, "{}", long.len());
    }

    #[test]
    fn only_what_can_never_work_is_refused() {
        for (code, message) in [
            (Code::InvalidArgument, "Blob data size exceeds limit."),
            (Code::ResourceExhausted, "grpc: received message after decompression larger than max"),
        ] {
            assert!(matches!(classify(code, message), StartError::Refused(_)), "{code:?}");
        }
        for code in [
            Code::Unavailable,
            Code::Cancelled,
            Code::ResourceExhausted,
            Code::NotFound,
            Code::PermissionDenied,
        ] {
            assert!(matches!(classify(code, "x"), StartError::Unavailable(_)), "{code:?}");
        }
    }
}
