//! The `FileEvent` workflow: one activity, repeated until there is a decision.
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use std::time::Duration;

use fastio_pipeline::decision::Decision;
use fastio_pipeline::event::FileEvent as Event;
use temporalio_common::RetryPolicy;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ActivityOptions, WorkflowContext, WorkflowResult};

use crate::activity::DecideEvent;

/// One attempt. Its calls have time limits of their own.
const ATTEMPT: Duration = Duration::from_mins(5);

/// An intake that says nothing for this long is dead, and another one tries.
const SILENT: Duration = Duration::from_secs(10);

/// Pauses between attempts: doubling from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// One event of a webhook. Its id is that of webhook and event, so a delivery that is sent again is the same workflow.
#[workflow]
#[derive(Default)]
pub struct FileEvent;

#[workflow_methods]
impl FileEvent {
    /// Gives what became of the event.
    #[run(name = "FileEvent")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, event: Event) -> WorkflowResult<Decision> {
        let options = ActivityOptions::with_start_to_close_timeout(ATTEMPT)
            .heartbeat_timeout(SILENT)
            // Without a limit on attempts: whether trying again is of any use is for the error to say.
            .retry_policy(
                RetryPolicy::builder().initial_interval(FIRST_PAUSE).maximum_interval(LAST_PAUSE).build(),
            )
            .summary(format!(
                "{} of {}",
                event.kind,
                event.file_name.as_deref().unwrap_or(event.file.as_str())
            ))
            .build();
        Ok(ctx.execute_activity(DecideEvent::decide_event, event, options).await?)
    }
}
