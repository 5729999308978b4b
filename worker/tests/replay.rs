//! Runs the workflow's code over histories that earlier versions wrote: it must come to the same commands.
//!
//! A change that breaks this test breaks every run that is under way while workers are updated: guard the new behaviour
//! with `ctx.patched`, and add a history of it. Histories are saved by `examples/run_file.rs --history`.

use std::error::Error;

use fastio_worker::workflow::FilePipeline;
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

async fn replay(history: &[u8]) -> Result<(), Box<dyn Error>> {
    let options = WorkflowReplayerOptions::new().register_workflow::<FilePipeline>()?.build();
    let history = WorkflowHistory::from_json(history)?;
    Ok(WorkflowReplayer::new(options)?.replay_workflow(history).await?)
}

#[tokio::test]
async fn a_run_that_succeeded_with_a_comment() {
    replay(include_bytes!("histories/succeeded.json")).await.unwrap();
}

#[tokio::test]
async fn a_run_whose_picture_was_unreadable() {
    replay(include_bytes!("histories/picture_unreadable.json")).await.unwrap();
}

#[tokio::test]
async fn a_run_that_lost_its_host_and_went_on_on_another_one() {
    replay(include_bytes!("histories/host_lost.json")).await.unwrap();
}

#[tokio::test]
async fn a_run_whose_results_were_there_already() {
    let history = include_bytes!("histories/already_processed.json");
    replay(history).await.unwrap();
    // Only a request that asks for it is looked up: the histories before it have no such activity.
    assert!(String::from_utf8_lossy(history).contains("FindResults"));
}

#[tokio::test]
async fn another_order_of_activities_is_noticed() {
    let history = String::from_utf8(include_bytes!("histories/succeeded.json").to_vec()).unwrap();
    let other = history.replace("\"DownloadSource\"", "\"DownloadOther\"");
    assert_ne!(history, other);
    let error = replay(other.as_bytes()).await.unwrap_err().to_string();
    assert!(error.contains("DownloadSource"), "{error}");
}
