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

/// Most characters of a summary: Temporal refuses a start whose summary has more than 400 bytes (`limit.userMetadataSummarySize`),
/// and a file's name alone may have that many.
const MAX_SUMMARY: usize = 90;

/// Most bytes that Temporal takes as a workflow's input unless it is configured otherwise (`limit.blobSize.error`, server 1.29),
/// less some for what the input is wrapped in.
const MAX_INPUT: usize = 2 * 1024 * 1024 - 1024;

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
    /// Unreachable, too slow, overloaded, not allowed, or not configured for this workflow: try again. The start may have
    /// gone through all the same.
    #[error("Temporal is not available: {0}")]
    Unavailable(String),
    /// The input can never be taken, whatever somebody changes in the configuration: trying again cannot help.
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
    let input_size = start.input.len();
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
        Ok(Err(WorkflowStartError::Rpc(status))) => {
            Err(classify(status.code(), status.message(), input_size))
        }
        Ok(Err(WorkflowStartError::PayloadConversion(error))) => Err(StartError::Refused(error.to_string())),
        Ok(Err(error)) => Err(StartError::Unavailable(error.to_string())),
    }
}

/// One line of bounded length. A control character counts as six bytes in JSON, and shows nothing.
fn shorten(summary: &str) -> String {
    let mut characters = summary.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = characters.by_ref().take(MAX_SUMMARY).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Only what is wrong with this very workflow is refused for good, and that is its size alone: ids are bounded far below
/// Temporal's limit, the input is not looked into, and everything else of a start is configuration.
///
/// So `InvalidArgument` is refused for an input that is too large by Temporal's own default. Of a smaller one, or of a
/// name, it comes of a limit or a namespace that somebody set and will set right, as `NotFound` comes of a namespace that does not
/// exist yet, and `PermissionDenied` and `Unauthenticated` of a credential: the file must not be lost by them.
fn classify(code: Code, message: &str, input_size: usize) -> StartError {
    // The second is of gRPC itself, before Temporal sees the call.
    let is_about_size = match code {
        Code::InvalidArgument => message.contains("Blob data size exceeds limit"),
        Code::ResourceExhausted => message.contains("larger than max"),
        _ => false,
    };
    if is_about_size && input_size > MAX_INPUT {
        StartError::Refused(format!("{message} (the input has {input_size} bytes)"))
    } else {
        StartError::Unavailable(format!("{code:?}: {message}"))
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
    fn control_characters_do_not_make_a_summary_longer() {
        // In JSON each has six bytes, and 400 are taken.
        assert_eq!(shorten("upload of a\u{1}b\n"), "upload of a b ");
        assert!(!shorten(&"\u{1}".repeat(255)).contains('\u{1}'));
    }

    #[test]
    fn only_what_can_never_work_is_refused() {
        let (blob, grpc) = (
            "Blob data size exceeds limit.",
            "grpc: received message after decompression larger than max 4194304",
        );
        let (small, large) = (700, 2 * 1024 * 1024);
        for (code, message, input_size, refused) in [
            (Code::InvalidArgument, blob, large, true),
            (Code::ResourceExhausted, grpc, large, true),
            (
                Code::ResourceExhausted,
                "grpc: received message larger than max (5242880 vs. 4194304)",
                large,
                true,
            ),
            // A limit that somebody has lowered.
            (Code::InvalidArgument, blob, small, false),
            (Code::InvalidArgument, blob, 512 * 1024, false),
            (Code::ResourceExhausted, grpc, small, false),
            // Names, and what the frontend says of the rest of a start (service/frontend/errors.go, server 1.29).
            (Code::InvalidArgument, "WorkflowId length exceeds limit.", small, false),
            (Code::InvalidArgument, "WorkflowType length exceeds limit.", small, false),
            (Code::InvalidArgument, "taskQueue length exceeds limit", small, false),
            (Code::InvalidArgument, "Namespace length exceeds limit.", small, false),
            (Code::InvalidArgument, "Namespace is empty.", small, false),
            (
                Code::InvalidArgument,
                "Namespace media has no mapping defined for search attribute x",
                small,
                false,
            ),
            (Code::InvalidArgument, "Summary size exceeds limit", small, false),
            // The size is not what is wrong with these, however large they are.
            (Code::InvalidArgument, "Namespace is empty.", large, false),
            (Code::ResourceExhausted, "namespace rate limit exceeded", large, false),
            (Code::OutOfRange, "decoded message length too large", small, false),
            (Code::NotFound, "Namespace media is not found.", small, false),
            (Code::PermissionDenied, "Request unauthorized.", small, false),
            (Code::Unauthenticated, "invalid token", small, false),
            (Code::FailedPrecondition, "Namespace: media is active in cluster: b", small, false),
            (Code::Unimplemented, "unknown service", small, false),
            (Code::Unavailable, "tcp connect error", small, false),
            // A deadline (the client's own).
            (Code::Cancelled, "Timeout expired", small, false),
            (Code::DeadlineExceeded, "context deadline exceeded", small, false),
            (Code::Aborted, "x", small, false),
            (Code::Internal, "x", small, false),
            (Code::DataLoss, "x", small, false),
            (Code::Unknown, "x", small, false),
        ] {
            let error = classify(code, message, input_size);
            assert_eq!(matches!(error, StartError::Refused(_)), refused, "{code:?} {message} {input_size}");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
