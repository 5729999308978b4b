//! Keeping the feed's workflow running: somebody may end it by force, and then another one goes on with what it knew.

use std::time::Duration;

use fastio_pipeline::names::{FEED_DELETED, FEED_WORKFLOW, TaskQueue, WorkflowId};
use fastio_temporal::one_attempt;
use fastio_temporal::start::{Start, StartError, Started, keep_running};
use futures::StreamExt;
use temporalio_client::errors::WorkflowInteractionError;
use temporalio_client::{
    Client, HistoryEventFilterType, WorkflowDescribeOptions, WorkflowExecutionStatus,
    WorkflowFetchHistoryOptions, WorkflowHandle, WorkflowQueryOptions,
};
use temporalio_common::protos::temporal::api::history::v1::HistoryEvent;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use super::state::Memory;
use super::workflow::Feed;

/// How often it is seen to that the workflow runs.
const EVERY: Duration = Duration::from_mins(1);

/// Pause after Temporal was not available.
const AGAIN: Duration = Duration::from_secs(2);

/// Longest time for one call.
const CALL: Duration = Duration::from_secs(5);

/// How often a workflow that has ended is asked for what it knew. This process may not be polling yet.
const QUESTIONS: u32 = 10;

/// Why it could not be seen to.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("its state: {0}")]
    Interaction(#[from] WorkflowInteractionError),
    #[error("what the one that has ended knew: {0}")]
    Question(String),
    #[error("its memory cannot be stored: {0}")]
    Memory(#[from] serde_json::Error),
    #[error("no answer within {CALL:?}")]
    Slow(#[from] tokio::time::error::Elapsed),
}

/// Sees to it, for ever, that the workflow runs.
pub async fn keep(client: &Client, id: &WorkflowId, queue: &TaskQueue) {
    let mut questions = 0;
    loop {
        let pause = match see_to(client, id, queue, questions >= QUESTIONS).await {
            Ok(()) => {
                questions = 0;
                EVERY
            }
            Err(error) => {
                questions += u32::from(matches!(error, KeepError::Question(_)));
                tracing::warn!(workflow = %id, %error, "cannot see to it that the feed runs");
                AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Starts it unless it runs.
pub(super) async fn see_to(
    client: &Client,
    id: &WorkflowId,
    queue: &TaskQueue,
    is_mute: bool,
) -> Result<(), KeepError> {
    let feed = client.get_workflow_handle::<Feed>(id.as_str());
    let options = WorkflowDescribeOptions::builder().rpc_options(one_attempt(CALL)).build();
    let memory = match tokio::time::timeout(CALL, feed.describe(options)).await? {
        Ok(now) => match now.status() {
            // A new history begins at once.
            WorkflowExecutionStatus::Running | WorkflowExecutionStatus::ContinuedAsNew => return Ok(()),
            _ => memory_of(&feed, is_mute).await?,
        },
        Err(WorkflowInteractionError::NotFound(_)) => Memory::default(),
        Err(error) => return Err(error.into()),
    };
    let start = Start {
        workflow_type: FEED_WORKFLOW,
        workflow_id: id.as_str(),
        task_queue: queue.as_str(),
        input: serde_json::to_vec(&memory)?,
        timeout: CALL,
        summary: Some("follows what happens in the workspace".to_owned()),
        execution_timeout: None,
    };
    if let Started::New { .. } = keep_running(client, start).await? {
        tracing::info!(workflow = %id, since = ?memory.relisting.watermark, "the feed starts");
    }
    Ok(())
}

/// What a workflow that has ended knew; nothing if it ended with its webhook. One that `is_mute` cannot be asked, for example
/// because this code cannot read its history: what it began with counts then, and more is read twice.
async fn memory_of(feed: &WorkflowHandle<Client, Feed>, is_mute: bool) -> Result<Memory, KeepError> {
    if event(feed, HistoryEventFilterType::CloseEvent).await?.is_some_and(|last| is_deletion(&last)) {
        return Ok(Memory::default());
    }
    if is_mute {
        let first = event(feed, HistoryEventFilterType::AllEvent).await?;
        tracing::error!(
            "the feed that has ended does not say how far it was: the new one begins where that one did"
        );
        return Ok(first.as_ref().and_then(input).unwrap_or_default().restored());
    }
    let options = WorkflowQueryOptions::builder().rpc_options(one_attempt(CALL)).build();
    let answer = tokio::time::timeout(CALL, feed.query(Feed::everything, (), options)).await;
    let memory = answer
        .map_err(|slow| KeepError::Question(slow.to_string()))?
        .map_err(|error| KeepError::Question(error.to_string()))?;
    Ok(memory.restored())
}

/// The first event of these.
async fn event(
    feed: &WorkflowHandle<Client, Feed>,
    which: HistoryEventFilterType,
) -> Result<Option<HistoryEvent>, KeepError> {
    let options = WorkflowFetchHistoryOptions::builder()
        .event_filter_type(which)
        .rpc_options(one_attempt(CALL))
        .build();
    Ok(tokio::time::timeout(CALL, feed.fetch_history(options).next()).await?.transpose()?)
}

fn is_deletion(last: &HistoryEvent) -> bool {
    matches!(&last.attributes, Some(Attributes::WorkflowExecutionTerminatedEventAttributes(ended)) if ended.reason == FEED_DELETED)
}

fn input(first: &HistoryEvent) -> Option<Memory> {
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = &first.attributes else {
        return None;
    };
    serde_json::from_slice(&started.input.as_ref()?.payloads.first()?.data).ok()
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};
    use temporalio_common::protos::temporal::api::history::v1::{
        WorkflowExecutionStartedEventAttributes, WorkflowExecutionTerminatedEventAttributes,
    };

    use super::*;

    fn terminated(reason: &str) -> HistoryEvent {
        let ended =
            WorkflowExecutionTerminatedEventAttributes { reason: reason.to_owned(), ..Default::default() };
        let attributes = Some(Attributes::WorkflowExecutionTerminatedEventAttributes(ended));
        HistoryEvent { attributes, ..Default::default() }
    }

    #[test]
    fn only_the_end_of_its_webhook_is_the_end_of_a_feed() {
        assert!(is_deletion(&terminated(FEED_DELETED)));
        assert!(!is_deletion(&terminated("by hand")) && !is_deletion(&HistoryEvent::default()));
    }

    #[test]
    fn a_feed_that_says_nothing_began_with_something() {
        let memory = Memory { relist_every: Some(60), ..Memory::default() };
        let payload = Payload { data: serde_json::to_vec(&memory).unwrap(), ..Default::default() };
        let started = WorkflowExecutionStartedEventAttributes {
            input: Some(Payloads { payloads: vec![payload] }),
            ..Default::default()
        };
        let attributes = Some(Attributes::WorkflowExecutionStartedEventAttributes(started));
        let first = HistoryEvent { attributes, ..Default::default() };
        assert_eq!(input(&first), Some(memory.clone()));
        assert!(memory.restored().relist_now, "what was missed in between is looked for");
        assert_eq!(input(&terminated("by hand")), None);
    }
}
