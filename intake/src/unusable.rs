//! The `UnusableDelivery` workflow: a signed delivery that is not an event, kept where a person can read it.
#![expect(missing_docs, reason = "what the macros generate cannot be documented")]

use fastio_pipeline::names::UNUSABLE_DELIVERY_WORKFLOW;
use fastio_pipeline::unusable::UnusableDelivery as Delivery;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ApplicationFailure, WorkflowContext, WorkflowResult};

/// Fails at once and keeps the delivery as its input, for as long as the Temporal namespace keeps closed workflows.
#[workflow]
#[derive(Default)]
pub struct UnusableDelivery;

#[workflow_methods]
impl UnusableDelivery {
    /// Always fails, with what is wrong with the delivery.
    #[expect(
        clippy::unused_async,
        reason = "a workflow is an async function, also one that waits for nothing"
    )]
    #[run(name = "UnusableDelivery")]
    pub async fn run(_: &mut WorkflowContext<Self>, delivery: Delivery) -> WorkflowResult<()> {
        let failure = ApplicationFailure::builder(delivery.problem)
            .type_name(UNUSABLE_DELIVERY_WORKFLOW.to_owned())
            .non_retryable(true)
            .build();
        Err(failure.into())
    }
}
