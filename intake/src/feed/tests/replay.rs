//! The workflow against a history that it made: opened, a round handed over by a process that ended, a position that expired,
//! listings, a backfill, a key that was revoked. Workflows that run go on with code that says the same to it.

use serde_json::{Value, json};
use temporalio_client::WorkflowHistory;
use temporalio_common::protos::temporal::api::history::v1::History;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use crate::feed::state::MAX_LEFT_OVER;
use crate::feed::workflow;

const HISTORY: &str = include_str!("history.json");

async fn replay(history: &str) -> Result<(), String> {
    let options = WorkflowReplayerOptions::new().register_workflow::<workflow::Feed>().unwrap().build();
    let history = WorkflowHistory::from_json(history.as_bytes()).unwrap();
    let replayer = WorkflowReplayer::new(options).unwrap();
    replayer.replay_workflow(history).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_history_goes_on_with_this_code() {
    assert_eq!(replay(HISTORY).await, Ok(()));
    let other = replay(&HISTORY.replace("\"Relist\"", "\"AnotherActivity\"")).await.unwrap_err();
    assert!(other.contains("AnotherActivity"), "{other}");
}

/// The history, but the first round of backfills left so many events over.
fn with_left_over(count: usize) -> String {
    let mut history: History = serde_json::from_str(HISTORY).unwrap();
    let Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) =
        &mut history.events[14].attributes
    else {
        panic!("{history:?}")
    };
    let data = &mut completed.result.as_mut().unwrap().payloads[0].data;
    let mut round: Value = serde_json::from_slice(data).unwrap();
    let event = json!({"id": "evt-1", "kind": "upload", "workspace": "123", "file": "2abc"});
    let awaiting = json!({"event": event, "since": "2026-11-24T13:07:50Z"});
    round["state"]["uid-of-old"]["leftOver"] = json!(vec![awaiting; count]);
    *data = serde_json::to_vec(&round).unwrap();
    serde_json::to_string(&history).unwrap()
}

#[tokio::test]
async fn nobody_lists_on_while_too_much_is_left_over() {
    assert_eq!(replay(&with_left_over(MAX_LEFT_OVER - 1)).await, Ok(()));
    // In the history the next round of backfills begins before following can have taken them over.
    let other = replay(&with_left_over(MAX_LEFT_OVER)).await.unwrap_err();
    assert!(other.contains("id: 19"), "{other}");
}

/// The history up to the first listing's timer, then a cancellation: the workflow stops everything, and is cancelled itself.
fn cancelled() -> String {
    let mut history: Value = serde_json::from_str(HISTORY).unwrap();
    let all = history["events"].as_array_mut().unwrap();
    let again = |id: usize, from: &Value, kind: Option<u64>, attributes: Value| {
        let mut event = from.clone();
        event["event_id"] = json!(id);
        if let Some(kind) = kind {
            event["event_type"] = json!(kind);
            event["attributes"] = attributes;
        } else {
            let (_, fields) = event["attributes"].as_object_mut().unwrap().iter_mut().next().unwrap();
            for (field, value) in attributes.as_object().unwrap() {
                fields[field] = value.clone();
            }
        }
        event
    };
    let requested = json!({"WorkflowExecutionCancelRequestedEventAttributes": {
        "cause": "", "external_initiated_event_id": 0, "external_workflow_execution": null, "identity": "somebody"
    }});
    let stops = |scheduled: u64| {
        json!({"ActivityTaskCancelRequestedEventAttributes": {
            "scheduled_event_id": scheduled, "workflow_task_completed_event_id": 17
        }})
    };
    let timer = all[12]["attributes"]["TimerStartedEventAttributes"]["timer_id"].clone();
    let timer = json!({"TimerCanceledEventAttributes": {
        "timer_id": timer, "started_event_id": 13, "workflow_task_completed_event_id": 17, "identity": "intake"
    }});
    let canceled = json!({"WorkflowExecutionCanceledEventAttributes": {
        "workflow_task_completed_event_id": 17, "details": null
    }});
    let more = [
        again(14, &all[8], Some(20), requested),
        again(15, &all[8], None, json!({})),
        again(16, &all[9], None, json!({"scheduled_event_id": 15})),
        again(17, &all[10], None, json!({"scheduled_event_id": 15, "started_event_id": 16})),
        again(18, &all[10], Some(15), stops(6)),
        again(19, &all[10], Some(15), stops(12)),
        again(20, &all[10], Some(19), timer),
        again(21, &all[10], Some(21), canceled),
    ];
    all.truncate(13);
    all.extend(more);
    history.to_string()
}

#[tokio::test]
async fn a_feed_that_is_cancelled_ends() {
    assert_eq!(replay(&cancelled()).await, Ok(()));
}
