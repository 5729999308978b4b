//! Lists whose rows are read one by one.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// The rows of a page. One that cannot be read is left out: whoever follows a list could never get past its page otherwise.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    /// Those that could be read.
    pub(crate) read: Vec<T>,
    /// How many could not.
    pub(crate) skipped: usize,
    /// What is wrong with the first of those.
    pub(crate) problem: Option<String>,
}

impl<T> Rows<T> {
    /// How many the page has.
    pub(crate) fn count(&self) -> usize {
        self.read.len() + self.skipped
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { read: Vec::new(), skipped: 0, problem: None }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default();
        let mut rows = Self { read: Vec::with_capacity(list.len()), ..Self::default() };
        for row in list {
            match serde_json::from_value(row) {
                Ok(row) => rows.read.push(row),
                Err(error) => {
                    rows.skipped += 1;
                    rows.problem.get_or_insert_with(|| error.to_string());
                }
            }
        }
        Ok(rows)
    }
}
