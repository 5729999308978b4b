//! Fields that come in more than one JSON form: numbers as strings, ids as numbers, two date forms, empty for absent.

use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use crate::time;

/// A required text that may come as a number.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    opt_text(deserializer)?.ok_or_else(|| D::Error::custom("expected a text, found nothing"))
}

/// A text or number; `null` and `""` are absent.
pub(crate) fn opt_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Value::Number(number) => Ok(Some(number.to_string())),
        other => Err(D::Error::custom(format_args!("expected a text, found {}", name(&other)))),
    }
}

/// A text or number; what is absent is the empty text.
pub(crate) fn or_empty_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    opt_text(deserializer).map(Option::unwrap_or_default)
}

/// An id as text or number; `null` and `""` are absent.
pub(crate) fn opt_id<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: std::fmt::Display,
{
    opt_text(deserializer)?.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// An id as text or number, or inside an object; what is no id counts as absent. For references of a list's rows, where
/// one odd row must not make the whole page unreadable.
pub(crate) fn lenient_id<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
{
    fn parse<T: FromStr>(value: &Value) -> Option<T> {
        match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.to_string().parse().ok(),
            Value::Object(object) => parse(object.get("id")?),
            _ => None,
        }
    }
    Ok(parse(&Value::deserialize(deserializer)?))
}

/// An unsigned integer as number or text; `null` and `""` are absent.
pub(crate) fn opt_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match opt_text(deserializer)? {
        None => Ok(None),
        Some(text) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| D::Error::custom("expected an unsigned integer, as a number or as text")),
    }
}

/// A date. One that cannot be read counts as absent: dates are for people here, nothing is decided by them.
pub(crate) fn opt_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => time::parse(&text),
        Value::Number(number) => number.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok()),
        _ => None,
    })
}

/// A flag as bool, yes/no, 0/1, or as a date that is there or not (`deleted` is such a field).
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(is_set(&Value::deserialize(deserializer)?))
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "no" | "false"),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A flag that may be absent.
pub(crate) fn opt_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(if value.is_null() { None } else { Some(is_set(&value)) })
}

/// `null` for an absent list or object.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
