//! JSON values that senders write in more than one way.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Any value but null. What it is not is remembered too: that matters only if the field turns out to be one that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, or a whole number, as which Fast.io's replies also write ids and times.
    Text(String),
    /// An object, with the value of its `id`.
    Object(Option<Box<Value>>),
    /// Something that no field of an event can be.
    Other(&'static str),
}

impl Value {
    /// The text, or else what it is.
    pub(super) fn into_text(self) -> Result<String, &'static str> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Object(_) => Err("an object"),
            Self::Other(what) => Err(what),
        }
    }

    /// The id of somebody who is given as an id or as an object with one.
    pub(super) fn into_id(self) -> Option<String> {
        match self {
            Self::Object(id) => id?.into_text().ok(),
            value => value.into_text().ok(),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// What counts of an object. Two ids in it are refused, as any other key that is there twice.
#[derive(serde::Deserialize)]
struct Object {
    id: Option<Box<Value>>,
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        // Also a whole number that no 64-bit integer holds: as text it would lose digits.
        Ok(Value::Other("a number that is not a 64-bit integer"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other("true or false"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Value, A::Error> {
        Object::deserialize(MapAccessDeserializer::new(object)).map(|object| Value::Object(object.id))
    }
}
