//! The two ways of the service to page through lists.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{envelope::ApiError, params::Params};

/// `limit` and `offset`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offset {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Offset {
    /// `limit` is 100 unless given, and at most 500.
    pub(crate) fn read(params: &Params) -> Result<Self, ApiError> {
        Self::within(params, 1, 500)
    }

    pub(crate) fn within(params: &Params, least: i64, most: i64) -> Result<Self, ApiError> {
        Ok(Self {
            limit: params.number("limit", least..=most)?.unwrap_or(100),
            offset: params.number("offset", 0..=i64::MAX)?.unwrap_or(0),
        })
    }

    /// The page of a list that is at hand as a whole.
    pub(crate) fn cut<T>(self, items: Vec<T>) -> (Vec<T>, Value) {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let skip = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let take = usize::try_from(self.limit).unwrap_or(usize::MAX);
        (items.into_iter().skip(skip).take(take).collect(), self.describe(total))
    }

    /// The `pagination` object.
    pub(crate) fn describe(self, total: i64) -> Value {
        let has_more = self.offset.saturating_add(self.limit) < total;
        json!({ "total": total, "limit": self.limit, "offset": self.offset, "has_more": has_more })
    }
}

/// `page_size` of the storage lists: one of three sizes.
pub(crate) fn page_size(params: &Params) -> Result<usize, ApiError> {
    let size = params.one_of("page_size", &["100", "250", "500"])?.unwrap_or("100");
    Ok(size.parse().unwrap_or(100))
}

/// The `pagination` object of lists with a cursor.
pub(crate) fn cursor_page(next: Option<&str>, page_size: usize) -> Value {
    json!({ "has_more": next.is_some(), "next_cursor": next, "page_size": page_size })
}

/// Writes a cursor that is opaque to the client.
pub(crate) fn encode(position: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// Reads a cursor; `None` for anything that [`encode`] did not write.
pub(crate) fn decode<T: DeserializeOwned>(cursor: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}
