//! The text of a comment, and its two limits of length.

use serde_json::{Map, Value};

use crate::envelope::ApiError;

/// Characters of a body as it is written.
const RAW_MAX: usize = 8_192;
/// Characters of a body as it is shown.
const DISPLAYED_MAX: usize = 500;

/// `body`, within both limits of length.
pub(super) fn text(body: &Map<String, Value>) -> Result<String, ApiError> {
    let text = match body.get("body") {
        None | Some(Value::Null) => return Err(ApiError::missing("body", "string")),
        Some(Value::String(text)) if text.trim().is_empty() => {
            return Err(ApiError::missing("body", "string"));
        }
        Some(Value::String(text)) => text,
        Some(_) => return Err(ApiError::invalid("body", "must be a string", "string")),
    };
    if text.chars().count() > RAW_MAX {
        return Err(ApiError::invalid("body", "must have at most 8192 characters", "string"));
    }
    if displayed(text).chars().count() > DISPLAYED_MAX {
        return Err(ApiError::invalid("body", "must show at most 500 characters", "string"));
    }
    Ok(text.clone())
}

/// The text without mention markup: `@[user:ID:Name]` is shown as `@Name`. (The documents say that the
/// markup does not count, and not whether the name does; here it does.)
fn displayed(text: &str) -> String {
    parse(text).0
}

/// Ids of the users that a text mentions.
pub(super) fn mentions(text: &str) -> Vec<String> {
    parse(text).1
}

/// What is shown, and who is mentioned.
fn parse(text: &str) -> (String, Vec<String>) {
    let (mut shown, mut users) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@[") {
        shown.push_str(before);
        shown.push('@');
        let mention = after.split_once(']').and_then(|(inside, behind)| {
            let (kind, inside) = inside.split_once(':')?;
            let (id, name) = inside.split_once(':')?;
            Some((kind, id, name, behind))
        });
        if let Some((kind, id, name, behind)) = mention {
            shown.push_str(name);
            if kind == "user" {
                users.push(id.to_owned());
            }
            rest = behind;
        } else {
            shown.push('[');
            rest = after;
        }
    }
    shown.push_str(rest);
    (shown, users)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mentions_count_as_they_are_shown() {
        assert_eq!(displayed("hello @[user:1234567890123456789:Ann Lee]!"), "hello @Ann Lee!");
        assert_eq!(displayed("a @[ b"), "a @[ b");
        assert_eq!(displayed("mail a@b.example"), "mail a@b.example");
        assert_eq!(mentions("@[user:12:Ann] and @[user:34:B: C] and @[x:y]"), ["12", "34"]);
    }

    #[test]
    fn five_hundred_characters_are_shown_and_no_more() {
        let body = |text: String| json!({ "body": text }).as_object().cloned().unwrap();
        assert!(text(&body("é".repeat(500))).is_ok());
        assert!(text(&body("é".repeat(501))).is_err());
        let mention = format!("@[user:1:{}]", "x".repeat(499));
        assert!(text(&body(mention)).is_ok());
        assert!(text(&body(" ".to_owned())).is_err());
    }
}
