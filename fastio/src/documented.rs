//! Keeps `docs/fastio-api.md` honest: every call has a row there, and every row is about a call.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What comes before the dot in the name of an operation.
const AREAS: [&str; 12] = [
    "activity",
    "auth",
    "comments",
    "events",
    "metadata",
    "orgs",
    "storage",
    "subscriptions",
    "upload",
    "webhooks",
    "workspace",
    "workspaces",
];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The sources without their tests.
fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if !path.ends_with("tests.rs") && !path.ends_with("documented.rs") {
            let text = fs::read_to_string(&path).unwrap();
            into.push(text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned());
        }
    }
}

fn is_operation(text: &str) -> bool {
    let named = text.split_once('.').is_some_and(|(area, _)| AREAS.contains(&area));
    named && text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
}

#[test]
fn every_call_has_a_row_and_every_row_a_call() {
    let mut texts = Vec::new();
    sources(&here("src"), &mut texts);
    let (mut operations, mut functions) = (BTreeSet::new(), BTreeSet::new());
    for text in &texts {
        operations.extend(text.split('"').filter(|literal| is_operation(literal)).map(str::to_owned));
        for client in text.split("\nimpl Client {\n").skip(1) {
            let client = client.split("\n}\n").next().unwrap();
            functions.extend(
                client
                    .split("\n    pub async fn ")
                    .skip(1)
                    .map(|rest| rest.split(['(', '<']).next().unwrap().to_owned()),
            );
        }
    }

    let page = fs::read_to_string(here("../docs/fastio-api.md")).unwrap();
    let table = page.split("## Calls\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let column = |number: usize| -> BTreeSet<String> {
        let cells = table.lines().filter_map(|row| row.split('|').nth(number));
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
    };
    assert_eq!(functions, column(1), "functions of the client, and those of the table");
    assert_eq!(operations, column(2), "operations of the client, and those of the table");
    assert!(functions.len() > 40 && operations.len() > 40, "the sources were not understood");
}
