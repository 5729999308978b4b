//! Comments on files. Source: official CLI 0.2.13, `comment.rs`; agent guide v1.41.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::envelope::fields;
use crate::error::Error;
use crate::{Client, CommentId, NodeId, Result, UserId, WorkspaceId};

/// Longest body of a comment, in characters, mention markup included.
pub const MAX_COMMENT_CHARS: usize = 8_192;
/// Longest displayed text of a comment, in characters, without mention markup.
pub const MAX_COMMENT_DISPLAYED: usize = 500;

/// Comments per page; the service's maximum.
const PAGE: usize = 200;
/// Most pages that are followed: a hundred thousand comments on one file.
const MAX_PAGES: usize = 500;

/// A comment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Its text.
    #[serde(default, deserialize_with = "fields::or_default")]
    pub body: String,
    /// Who wrote it.
    #[serde(default, rename = "profile_id", deserialize_with = "fields::opt_id")]
    pub author: Option<UserId>,
    /// The comment that it answers.
    #[serde(default, rename = "parent_id", deserialize_with = "fields::opt_id")]
    pub parent: Option<CommentId>,
    /// What its writer attached for programs.
    #[serde(default, deserialize_with = "properties")]
    pub properties: Map<String, Value>,
    /// When it was written.
    #[serde(default, deserialize_with = "fields::opt_time")]
    pub created: Option<Timestamp>,
}

/// A comment to write. The service knows no idempotency key: put a marker into `properties` and look for it with
/// [`Client::comments`] before writing again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewComment {
    /// Its text: at most [`MAX_COMMENT_DISPLAYED`] displayed characters, see [`truncate_displayed`].
    pub body: String,
    /// For programs.
    pub properties: Option<Value>,
}

impl Client {
    /// Every comment on a node: `GET /comments/workspace/{ws}/{node}/`, every page.
    pub async fn comments(&self, ws: &WorkspaceId, node: &NodeId) -> Result<Vec<Comment>> {
        self.offset_pages_of("comments.list", &path(ws, node), "comments", PAGE, MAX_PAGES).await
    }

    /// Writes a comment: `POST /comments/workspace/{ws}/{node}/`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("a.jpg", "a").await?;
    /// use fastio::{NewComment, truncate_displayed};
    ///
    /// // Whoever may run twice leaves a mark, and looks for it.
    /// let report = format!("Made from a.raw: {}", "a thumbnail, ".repeat(80));
    /// for _ in 0..2 {
    ///     let known = client.comments(ws, node).await?;
    ///     if !known.iter().any(|comment| comment.properties.get("run") == Some(&"run-7".into())) {
    ///         let body = truncate_displayed(&report).into_owned();
    ///         let properties = Some(serde_json::json!({ "run": "run-7" }));
    ///         client.create_comment(ws, node, NewComment { body, properties }).await?;
    ///     }
    /// }
    /// assert_eq!(client.comments(ws, node).await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_comment(
        &self,
        ws: &WorkspaceId,
        node: &NodeId,
        comment: NewComment,
    ) -> Result<Comment> {
        #[derive(Deserialize)]
        struct Reply {
            comment: Comment,
        }
        const OPERATION: &str = "comments.create";
        check(&comment.body).map_err(|problem| Error::argument(OPERATION, "body", problem))?;
        let mut body = Map::from_iter([("body".to_owned(), Value::String(comment.body))]);
        if let Some(properties) = comment.properties {
            body.insert("properties".to_owned(), properties);
        }
        let reply: Reply = self.post(OPERATION, &path(ws, node)).json(Value::Object(body)).send().await?;
        Ok(reply.comment)
    }
}

fn path<'a>(ws: &'a WorkspaceId, node: &'a NodeId) -> [&'a str; 4] {
    ["comments", "workspace", ws.as_str(), node.as_str()]
}

fn check(body: &str) -> std::result::Result<(), String> {
    let (raw, displayed) = (body.chars().count(), displayed_chars(body));
    if body.trim().is_empty() {
        Err("is empty: give the comment a text".to_owned())
    } else if raw > MAX_COMMENT_CHARS {
        Err(format!("has {raw} characters, at most {MAX_COMMENT_CHARS} are allowed"))
    } else if displayed > MAX_COMMENT_DISPLAYED {
        Err(format!("shows {displayed} characters, at most {MAX_COMMENT_DISPLAYED} are allowed: shorten it"))
    } else {
        Ok(())
    }
}

/// Characters that people see: of a mention `@[user:ID:Name]` only `@Name`.
fn displayed_chars(body: &str) -> usize {
    let mut rest = body;
    let mut count = 0;
    while let Some((before, after)) = rest.split_once("@[") {
        count += before.chars().count();
        match after.split_once(']') {
            // "user", the id, and a name that may have colons itself.
            Some((mention, tail)) if mention.split(':').count() >= 3 => {
                count += 1 + mention.splitn(3, ':').last().unwrap_or_default().chars().count();
                rest = tail;
            }
            _ => {
                count += 2;
                rest = after;
            }
        }
    }
    count + rest.chars().count()
}

/// Shortens a text to what a comment may show, with an ellipsis at the end when something was cut. Cuts between
/// characters, and not inside a mention.
#[must_use]
pub fn truncate_displayed(text: &str) -> Cow<'_, str> {
    if displayed_chars(text) <= MAX_COMMENT_DISPLAYED && text.chars().count() <= MAX_COMMENT_CHARS {
        return Cow::Borrowed(text);
    }
    // Cut by raw characters: what is displayed is never longer.
    let cut = text.char_indices().nth(MAX_COMMENT_DISPLAYED - 1).map_or(text.len(), |(at, _)| at);
    let kept = text.get(..cut).unwrap_or_default();
    let kept = match kept.rsplit_once("@[") {
        Some((before, mention)) if !mention.contains(']') => before,
        _ => kept,
    };
    Cow::Owned(format!("{}\u{2026}", kept.trim_end()))
}

/// An object, the same as JSON text, or nothing (also as an empty list).
fn properties<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Map<String, Value>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Object(map) => map,
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    })
}

#[cfg(test)]
mod tests;
