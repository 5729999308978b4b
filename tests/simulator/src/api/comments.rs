//! Comments on files and folders of a workspace. Bodies are JSON.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::{
    page::Offset,
    path::{CommentPath, NodePath},
    storage,
};
use crate::{
    app::App,
    envelope::{ApiError, Reply},
    ids::{CommentId, NodeId},
    params::{JsonObject, Params, Query},
    routes::{Caller, Routes, Scope},
    store::{
        accounts::{self, Workspace},
        comments::{self, Comment, Listing},
        events::{self, EventName},
    },
    time::Instant,
};

/// Characters of a body as it is written.
const RAW_MAX: usize = 8_192;
/// Characters of a body as it is shown.
const DISPLAYED_MAX: usize = 500;
const TARGETS_MAX: usize = 25;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post("/comments/workspace/{workspace}/{node}/", "comments.create", Scope::Workspace, create)
        .get("/comments/workspace/{workspace}/{node}/", "comments.list", Scope::Workspace, list_of_node)
        .get("/comments/workspace/{workspace}/", "comments.list", Scope::Workspace, list_all)
        .get("/comments/{comment}/details/", "comments.details", Scope::Comment, details)
        .post("/comments/{comment}/update/", "comments.update", Scope::Comment, update)
        .delete("/comments/{comment}/delete/", "comments.delete", Scope::Comment, delete)
}

async fn create(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(node): NodePath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let text = text(&body)?;
    check_targets(&body)?;
    let now = Instant::now();
    app.store.write(|rows| {
        storage::live(rows, &workspace, &node)?;
        let comment = Comment {
            id: CommentId::random(),
            workspace: workspace.id.clone(),
            node: node.to_string(),
            author: caller.user.clone(),
            parent: parent(rows, &body, &node)?,
            body: text,
            reference: object(&body, "reference")?,
            properties: object(&body, "properties")?,
            created: now,
            updated: now,
            deleted: None,
        };
        comments::put(rows, &comment)?;
        events::record(rows, &workspace, &caller.user, EventName::CommentCreated, comment.id.as_str())?;
        Ok(reply(&comment))
    })
}

async fn list_of_node(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(node): NodePath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| storage::existing(rows, &workspace, &node))?;
    list(&app, &workspace, Some(&node), &query)
}

async fn list_all(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    list(&app, &workspace, None, &query)
}

fn list(app: &App, workspace: &Workspace, node: Option<&NodeId>, query: &Params) -> Result<Reply, ApiError> {
    let page = Offset::within(query, 2, 200)?;
    let sort = query.one_of("sort", &["created", "-created"])?;
    let listing = Listing {
        workspace: &workspace.id,
        node: node.map(NodeId::as_str),
        include_deleted: query.flag("include_deleted")?,
        newest_first: sort == Some("-created"),
        limit: page.limit,
        offset: page.offset,
    };
    let (found, total) = app.store.read(|rows| comments::list(rows, &listing))?;
    let found: Vec<Value> = found.iter().map(view).collect();
    Ok(Reply::new().with("comments", found).with("pagination", page.describe(total)))
}

async fn details(State(app): State<App>, CommentPath(id): CommentPath) -> Result<Reply, ApiError> {
    app.store.read(|rows| live(rows, &id)).map(|comment| reply(&comment))
}

async fn update(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let text = text(&body)?;
    change(&app, &caller, &id, EventName::CommentUpdated, |comment| {
        if let Some(properties) = object(&body, "properties")? {
            comment.properties = Some(properties);
        }
        comment.body = text;
        Ok(())
    })
}

async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
) -> Result<Reply, ApiError> {
    change(&app, &caller, &id, EventName::CommentDeleted, |comment| {
        comment.deleted = Some(Instant::now());
        Ok(())
    })
}

fn change(
    app: &App,
    caller: &Caller,
    id: &CommentId,
    event: EventName,
    act: impl FnOnce(&mut Comment) -> Result<(), ApiError>,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let mut comment = live(rows, id)?;
        act(&mut comment)?;
        comment.updated = Instant::now();
        comments::put(rows, &comment)?;
        let workspace = accounts::find_workspace(rows, comment.workspace.as_str())?
            .ok_or_else(|| ApiError::not_found("workspace"))?;
        events::record(rows, &workspace, &caller.user, event, id.as_str())?;
        Ok(reply(&comment))
    })
}

fn live(rows: &Connection, id: &CommentId) -> Result<Comment, ApiError> {
    comments::find(rows, id)?
        .filter(|comment| comment.deleted.is_none())
        .ok_or_else(|| ApiError::not_found("comment"))
}

/// `body`, within both limits of length.
fn text(body: &Map<String, Value>) -> Result<String, ApiError> {
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

/// The text without mention markup: `@[user:ID:Name]` is shown as `@Name`.
fn displayed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@[") {
        shown.push_str(before);
        shown.push('@');
        let mention = after.split_once(']').filter(|(inside, _)| inside.split(':').count() >= 3);
        if let Some((inside, behind)) = mention {
            shown.push_str(inside.splitn(3, ':').last().unwrap_or_default());
            rest = behind;
        } else {
            shown.push('[');
            rest = after;
        }
    }
    shown.push_str(rest);
    shown
}

fn parent(
    rows: &Connection,
    body: &Map<String, Value>,
    node: &NodeId,
) -> Result<Option<CommentId>, ApiError> {
    let text = match body.get("parent_id") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(ApiError::invalid("parent_id", "must be a string", "comment id")),
    };
    let id = CommentId::parse(text).map_err(|_| ApiError::malformed_id("parent_id"))?;
    let parent = live(rows, &id)?;
    if parent.node != node.as_str() {
        return Err(ApiError::invalid("parent_id", "is a comment on something else", "comment id"));
    }
    Ok(Some(id))
}

fn object(body: &Map<String, Value>, name: &str) -> Result<Option<Value>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value @ Value::Object(_)) => Ok(Some(value.clone())),
        Some(_) => Err(ApiError::invalid(name, "must be an object", "object")),
    }
}

/// Notifying other users is not simulated, but its limit is.
fn check_targets(body: &Map<String, Value>) -> Result<(), ApiError> {
    match body.get("target_ids") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Array(ids)) if ids.len() <= TARGETS_MAX => Ok(()),
        Some(_) => Err(ApiError::invalid("target_ids", "must be a list of at most 25 ids", "array")),
    }
}

fn reply(comment: &Comment) -> Reply {
    Reply::new().with("comment", view(comment))
}

fn view(comment: &Comment) -> Value {
    json!({
        "id": comment.id,
        "entity_type": "workspace",
        "entity_id": comment.workspace,
        "node_id": comment.node,
        "profile_id": comment.author,
        "parent_id": comment.parent,
        "body": comment.body,
        "reference": comment.reference,
        "properties": comment.properties,
        "created": comment.created,
        "updated": comment.updated,
        "deleted": comment.deleted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_count_as_they_are_shown() {
        assert_eq!(displayed("hello @[user:1234567890123456789:Ann Lee]!"), "hello @Ann Lee!");
        assert_eq!(displayed("a @[ b"), "a @[ b");
        assert_eq!(displayed("mail a@b.example"), "mail a@b.example");
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
