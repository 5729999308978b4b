//! What every reply is wrapped in, in the forms that the service really sends.
//!
//! Success: `{"result": true, <fields>}`, or `"result": "yes"`, with the fields at the top or inside `response`.
//! Failure: `{"result": false, "error": {…}}`, or flat `error_message` and `error_id` (some AI endpoints).
//! Sources: official CLI 0.2.13 (`client.rs`), captured replies of May 2026, agent guide v1.41.

pub(crate) mod fields;
mod refusal;
pub(crate) mod rows;

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::error::{ErrorKind, Refusal};

/// Largest JSON reply that is read, in bytes. 500 nodes with every detail stay below 2 MiB.
pub(crate) const MAX_REPLY: usize = 4 * 1024 * 1024;

/// Longest description of a broken reply, in characters: the parser's words may quote a value of the reply.
const MAX_PROBLEM: usize = 300;

/// What is known about a reply apart from its body.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_at: Option<SystemTime>,
    /// The call carried a download token and no key.
    pub(crate) by_token: bool,
}

impl Head {
    pub(crate) fn broken(&self, problem: impl Into<String>) -> ErrorKind {
        ErrorKind::Broken {
            status: self.status,
            request_id: self.request_id.clone(),
            problem: problem.into().chars().take(MAX_PROBLEM).collect(),
        }
    }

    /// A body that is not the service's. Load balancers, proxies and stores answer like that with a status that says
    /// enough by itself. A 404 of that kind is not one of them: it says nothing about the file, so it must not
    /// count as "gone".
    pub(crate) fn foreign(&self, problem: impl Into<String>) -> ErrorKind {
        match self.status {
            401 | 408 | 413 | 416 | 429 | 500 | 502..=504 => refused(self, &Map::new()),
            403 if self.by_token => refused(self, &Map::new()),
            _ => self.broken(problem),
        }
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Opens a reply: its fields, or why there are none.
pub(crate) fn open(head: &Head, body: &[u8]) -> Result<Map<String, Value>, ErrorKind> {
    if (300..400).contains(&head.status) {
        return Err(head.broken("it is a redirect, which is not followed with a key: check the base URL"));
    }
    let reply = parse(body).map_err(|problem| head.foreign(problem))?;
    let result = reply.get("result").and_then(yes_or_no);
    match result {
        Some(true) if head.is_success() => Ok(unwrap(reply)),
        Some(_) => Err(refused(head, &reply)),
        None if is_error(&reply) => Err(refused(head, &reply)),
        None => Err(head.foreign("the field \"result\" is neither true nor false: is this the Fast.io API?")),
    }
}

/// The fields of a reply whatever it says about success, for the one call that reports partial failure with an error
/// status (bulk details).
pub(crate) fn parse_any(head: &Head, body: &[u8]) -> Result<Map<String, Value>, ErrorKind> {
    parse(body).map(unwrap).map_err(|problem| head.broken(problem))
}

fn parse(body: &[u8]) -> Result<Map<String, Value>, String> {
    if body.is_empty() {
        return Err("it is empty".to_owned());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(reply)) => Ok(reply),
        Ok(_) => Err("it is JSON, but not an object".to_owned()),
        // The parser's message has a position and no content.
        Err(error) => Err(format!("it is not JSON ({error})")),
    }
}

fn yes_or_no(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) if word.eq_ignore_ascii_case("yes") => Some(true),
        Value::String(word) if word.eq_ignore_ascii_case("no") => Some(false),
        _ => None,
    }
}

fn is_error(reply: &Map<String, Value>) -> bool {
    reply.get("error").is_some_and(Value::is_object) || reply.contains_key("error_message")
}

/// Takes the fields out of a nested `response` if there is one.
fn unwrap(mut reply: Map<String, Value>) -> Map<String, Value> {
    match reply.remove("response") {
        Some(Value::Object(inner)) => inner,
        Some(other) => {
            reply.insert("response".to_owned(), other);
            reply
        }
        None => reply,
    }
}

fn refused(head: &Head, reply: &Map<String, Value>) -> ErrorKind {
    let inner = reply.get("response").and_then(Value::as_object).filter(|inner| is_error(inner));
    let refusal = Refusal {
        status: head.status,
        request_id: head.request_id.clone(),
        retry_at: head.retry_at,
        by_token: head.by_token,
        ..refusal::read(inner.unwrap_or(reply))
    };
    ErrorKind::Refused(Box::new(refusal))
}

#[cfg(test)]
mod tests;
