//! Counts of the calls that were made, so that a test can assert that something was done once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use axum::http::StatusCode;
use serde::Serialize;

/// Counts since the start of the process or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<Key, BTreeMap<u16, u64>>>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    workspace: Option<String>,
    operation: &'static str,
    method: String,
}

/// One line of the answer of the control API.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    workspace: Option<String>,
    operation: &'static str,
    method: String,
    count: u64,
    /// How many of them were answered with which HTTP status.
    statuses: BTreeMap<u16, u64>,
}

impl Calls {
    pub(crate) fn count(
        &self,
        workspace: Option<&str>,
        operation: &'static str,
        method: &str,
        status: StatusCode,
    ) {
        let key = Key { workspace: workspace.map(str::to_owned), operation, method: method.to_owned() };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(key).or_default().entry(status.as_u16()).or_default() += 1;
    }

    pub(crate) fn list(&self, workspace: Option<&str>) -> Vec<Line> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .filter(|(key, _)| workspace.is_none() || key.workspace.as_deref() == workspace)
            .map(|(key, statuses)| Line {
                workspace: key.workspace.clone(),
                operation: key.operation,
                method: key.method.clone(),
                count: statuses.values().sum(),
                statuses: statuses.clone(),
            })
            .collect()
    }

    /// Forgets the counts of one workspace, or all.
    pub(crate) fn reset(&self, workspace: Option<&str>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|key, _| workspace.is_some() && key.workspace.as_deref() != workspace);
    }
}
