//! Reactions: one of each user to each comment, a new one replaces the old.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::Value;

use super::{live, record, reply};
use crate::{
    api::path::CommentPath,
    app::App,
    envelope::{ApiError, Reply},
    params::JsonObject,
    routes::{Caller, Routes, Scope},
    store::{comments::Comment, events::EventName, reactions},
};

/// Characters of an emoji with its modifiers. No number is published.
const EMOJI_MAX: usize = 16;

pub(super) fn routes(routes: Routes) -> Routes {
    let path = "/comments/{comment}/reactions/";
    routes.post(path, "comments.react", Scope::Comment, add).delete(
        path,
        "comments.unreact",
        Scope::Comment,
        remove,
    )
}

/// Body `{"emoji": "…"}`.
async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let emoji = match body.get("emoji") {
        None | Some(Value::Null) => return Err(ApiError::missing("emoji", "string")),
        Some(Value::String(emoji)) if (1..=EMOJI_MAX).contains(&emoji.chars().count()) => emoji,
        Some(_) => return Err(ApiError::invalid("emoji", "must be one emoji", "string")),
    };
    app.store.write(|rows| {
        let comment = live(rows, &id)?;
        reactions::set(rows, &id, &caller.user, emoji)?;
        changed(rows, &caller, &comment)
    })
}

async fn remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let comment = live(rows, &id)?;
        if reactions::remove(rows, &id, &caller.user)? {
            return changed(rows, &caller, &comment);
        }
        Err(ApiError::not_found("reaction"))
    })
}

fn changed(rows: &Connection, caller: &Caller, comment: &Comment) -> Result<Reply, ApiError> {
    record(rows, caller, comment, EventName::CommentReaction)?;
    reply(rows, comment)
}
