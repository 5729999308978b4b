//! The error object of a reply, in every shape that public material shows.

use serde_json::{Map, Value};

use crate::error::{InvalidField, Refusal};

/// Longest text that is kept of an error reply, in characters.
const MAX_TEXT: usize = 500;
/// Longest word (reason, name of a field), in characters.
const MAX_WORD: usize = 100;
/// Most fields that are kept of a validation error.
const MAX_FIELDS: usize = 20;

/// Reads `error` (or the flat form); what is not understood is left out.
pub(super) fn read(reply: &Map<String, Value>) -> Refusal {
    let Some(error) = reply.get("error").and_then(Value::as_object) else {
        let text = ["error_message", "error", "message"].iter().find_map(|key| text_of(reply, key));
        let code = ["error_id", "error_code"].iter().find_map(|key| code(reply.get(*key)?));
        return Refusal { code, text, ..Refusal::default() };
    };
    let params = error.get("params");
    let object = params.and_then(Value::as_object);
    let in_params = |key: &str| object.and_then(|params| params.get(key));
    Refusal {
        code: ["code", "error_code"].iter().find_map(|key| code(error.get(*key)?)),
        reason: [in_params("reason"), error.get("reason")]
            .into_iter()
            .flatten()
            .find_map(|value| clean(value, MAX_WORD)),
        text: ["text", "message"].iter().find_map(|key| text_of(error, key)),
        resource: text_of(error, "resource"),
        fields: params.and_then(Value::as_array).map(|list| fields(list)).unwrap_or_default(),
        current_version: in_params("current_version_id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok()),
        ..Refusal::default()
    }
}

fn text_of(object: &Map<String, Value>, key: &str) -> Option<String> {
    clean(object.get(key)?, MAX_TEXT)
}

/// An integer, or a string of digits.
fn code(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `{name, kind: missing|invalid, code, message, expected_type}`, one for each field.
fn fields(list: &[Value]) -> Vec<InvalidField> {
    list.iter()
        .filter_map(Value::as_object)
        .filter_map(|param| {
            let word = |key: &str| param.get(key).and_then(|value| clean(value, MAX_WORD));
            Some(InvalidField {
                name: word("name")?,
                missing: word("kind").is_some_and(|kind| kind.eq_ignore_ascii_case("missing")),
                message: word("message"),
                expected: word("expected_type"),
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
