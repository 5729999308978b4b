//! Lists that are read by offset: `limit` and `offset`, `pagination {total, limit, offset, has_more}` (official CLI 0.2.13,
//! `types.rs`; captured replies of May 2026).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::client::Reply;
use crate::envelope::fields;
use crate::error::Error;
use crate::{Client, Result};

/// Rows per page; the service's maximum.
const PAGE: usize = 500;
/// Most pages that are followed.
const MAX_PAGES: usize = 200;

/// What a reply says about more rows.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Pagination {
    #[serde(default, deserialize_with = "fields::opt_flag")]
    pub(crate) has_more: Option<bool>,
}

impl Pagination {
    /// The `pagination` object; one of another form says nothing.
    pub(crate) fn of(reply: &Map<String, Value>) -> Self {
        reply
            .get("pagination")
            .filter(|value| value.is_object())
            .and_then(|value| Self::deserialize(value).ok())
            .unwrap_or_default()
    }

    /// Whether there is a next page after one of `count` rows, `full` of which make a page. Without a word about more,
    /// only a full page can have a next one.
    pub(crate) fn more(&self, count: usize, full: usize) -> bool {
        count > 0 && self.has_more.unwrap_or(count >= full)
    }
}

impl Client {
    /// Every row of the list `name`, page by page.
    pub(crate) async fn offset_pages<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        name: &'static str,
    ) -> Result<Vec<T>> {
        self.offset_pages_of(operation, path, name, PAGE, MAX_PAGES).await
    }

    /// The same with another size of pages and another bound.
    pub(crate) async fn offset_pages_of<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        name: &'static str,
        page: usize,
        max_pages: usize,
    ) -> Result<Vec<T>> {
        let mut all: Vec<T> = Vec::new();
        for _ in 0..max_pages {
            let reply = self
                .get(operation, path)
                .query("limit", &page.to_string())
                .query("offset", &all.len().to_string())
                .reply()
                .await?;
            let (rows, pagination) = read_rows(&reply, name)?;
            let count = rows.len();
            all.extend(rows);
            if !pagination.more(count, page) {
                return Ok(all);
            }
        }
        Err(Error::argument(
            operation,
            name,
            format!("more than {} rows: that is too many", max_pages * page),
        ))
    }
}

/// The rows of the list `name`, and what is said about more of them.
pub(crate) fn read_rows<T: DeserializeOwned>(reply: &Reply, name: &str) -> Result<(Vec<T>, Pagination)> {
    let mut fields = reply.fields()?;
    let pagination = Pagination::of(&fields);
    let rows: Option<Vec<T>> = match fields.remove(name) {
        None => None,
        Some(rows) => serde_json::from_value(rows).map_err(|error| reply.broken(error.to_string()))?,
    };
    Ok((rows.unwrap_or_default(), pagination))
}
