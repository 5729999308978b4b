//! The list of what a simulated Fast.io must answer, row by row and in its numbering, and flows of several calls.
//!
//! Rows A1 to A25 are what the official CLI calls, B1 to B5 what this project needs beside that.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod checksums;
mod comments;
mod events;
mod files;
mod flows;
mod operator;
mod searching;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod uploads;

use std::collections::BTreeSet;

use fastio_simulator::{FinalStatus, WebhookDialect};
use support::World;
use table::Row;

#[tokio::test]
async fn every_row_is_answered() {
    let world = World::new().await;
    let rows: Vec<Row> = [
        accounts::rows(),
        files::rows(),
        files::shares(),
        files::missing(),
        searching::rows(),
        uploads::rows(),
        checksums::rows(),
        comments::rows(),
        events::rows(),
        operator::feed(),
        operator::sender(),
        operator::faults(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let covered: BTreeSet<&str> = rows.iter().map(Row::number).collect();
    let elsewhere = "B2";
    for number in (1..=25).map(|row| format!("A{row}")).chain((1..=5).map(|row| format!("B{row}"))) {
        assert!(covered.contains(&*number) || number == elsewhere, "nothing for {number}");
    }
    let failures = table::run(&world, rows).await;
    assert!(failures.is_empty(), "{} rows:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn every_row_of_the_retired_webhooks_is_answered() {
    let world = World::with(|settings| settings.webhooks = Some(WebhookDialect::Subscriptions)).await;
    let failures = table::run(&world, operator::retired()).await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn every_row_is_answered_as_the_live_service_and_older_ones_do() {
    let world = World::with(|settings| {
        settings.webhooks = None;
        settings.inline_file_id = true;
        settings.upload_final = FinalStatus::Stored;
        settings.ranges = false;
    })
    .await;
    let failures = table::run(&world, operator::variants()).await;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
