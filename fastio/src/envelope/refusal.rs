//! The error object of a reply, in every shape that public material shows.

use serde_json::{Map, Value};

use crate::error::Refusal;

/// Longest text that is kept of an error reply, in characters.
const MAX_TEXT: usize = 500;
/// Longest word (reason, name of a field), in characters.
const MAX_WORD: usize = 100;
/// Most fields that are kept of a validation error.
const MAX_FIELDS: usize = 20;

/// Reads `error` (or the flat form); what is not understood is left out.
pub(super) fn read(reply: &Map<String, Value>) -> Refusal {
    let Some(error) = reply.get("error").and_then(Value::as_object) else {
        return Refusal {
            code: reply.get("error_id").and_then(code),
            text: reply.get("error_message").and_then(|value| clean(value, MAX_TEXT)),
            ..Refusal::default()
        };
    };
    let params = error.get("params");
    let object = params.and_then(Value::as_object);
    let in_params = |key: &str| object.and_then(|params| params.get(key));
    Refusal {
        code: error.get("code").or_else(|| error.get("error_code")).and_then(code),
        reason: in_params("reason").or_else(|| error.get("reason")).and_then(|value| clean(value, MAX_WORD)),
        text: error.get("text").or_else(|| error.get("message")).and_then(|value| clean(value, MAX_TEXT)),
        resource: error.get("resource").and_then(|value| clean(value, MAX_TEXT)),
        fields: params.and_then(Value::as_array).map(|list| fields(list)).unwrap_or_default(),
        current_version: in_params("current_version_id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok()),
        ..Refusal::default()
    }
}

/// An integer, or a string of digits.
fn code(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `{name, kind: missing|invalid, message}` as "name is missing" or "name is invalid (message)".
fn fields(list: &[Value]) -> Vec<String> {
    list.iter()
        .filter_map(Value::as_object)
        .filter_map(|param| {
            let word = |key: &str| param.get(key).and_then(|value| clean(value, MAX_WORD));
            let name = word("name")?;
            let kind = word("kind").unwrap_or_else(|| "invalid".to_owned());
            Some(match word("message") {
                Some(message) => format!("{name} is {kind} ({message})"),
                None => format!("{name} is {kind}"),
            })
        })
        .take(MAX_FIELDS)
        .collect()
}

/// Text for logs and conditions: bounded, on one line.
fn clean(value: &Value, max: usize) -> Option<String> {
    let text = value.as_str()?.trim();
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect::<String>();
    (!line.is_empty()).then_some(line)
}
