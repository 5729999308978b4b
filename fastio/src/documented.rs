//! Keeps `docs/fastio-api.md` and the examples honest: every call has a row there, every row is about a call, and an example
//! that runs against the simulated service makes it.

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

/// Names of the calls.
fn functions(texts: &[String]) -> BTreeSet<String> {
    let clients = texts.iter().flat_map(|text| text.split("\nimpl Client {\n").skip(1));
    let bodies = clients.map(|client| client.split("\n}\n").next().unwrap());
    let functions = bodies.flat_map(|body| body.split("\n    pub async fn ").skip(1));
    functions.map(|function| function.split(['(', '<']).next().unwrap().to_owned()).collect()
}

/// The examples that are run against the simulated service.
fn examples(text: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let Some(doc) = line.trim_start().strip_prefix("///") else { continue };
        match (open.take(), doc.trim()) {
            (None, fence) if fence.starts_with("```") => open = Some(format!("{fence}\n")),
            (Some(example), "```") => examples.push(example),
            (Some(example), _) => open = Some(format!("{example}{doc}\n")),
            (None, _) => {}
        }
    }
    examples.retain(|example| example.starts_with("```\n") && example.contains("/doctests/simulated.rs"));
    examples
}

#[test]
fn every_call_has_a_row_and_every_row_a_call() {
    let mut texts = Vec::new();
    sources(&here("src"), &mut texts);
    let functions = functions(&texts);
    let literals = texts.iter().flat_map(|text| text.split('"'));
    let operations: BTreeSet<_> =
        literals.filter(|literal| is_operation(literal)).map(str::to_owned).collect();

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

#[test]
fn every_call_is_made_in_an_example() {
    let mut texts = Vec::new();
    sources(&here("src"), &mut texts);
    let examples: String = texts.iter().flat_map(|text| examples(text)).collect();
    let missing: Vec<_> = functions(&texts)
        .into_iter()
        .filter(|function| !examples.contains(&format!("client.{function}(")))
        .collect();
    assert!(missing.is_empty(), "no example makes these calls: {missing:?}");
}

#[test]
fn only_what_is_run_is_an_example() {
    let fence = "/// include!(\"/doctests/simulated.rs\")\n/// client.orgs()\n/// ```\n";
    assert_eq!(examples(&format!("    /// ```\n{fence}/// ```text\n{fence}")).len(), 1);
    assert!(examples(&format!("/// ```no_run\n{fence}")).is_empty());
    assert!(examples("/// ```\n/// client.orgs()\n/// ```\n").is_empty());
}
