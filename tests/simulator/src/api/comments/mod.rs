//! Comments on files and folders of a workspace or share. Bodies are JSON.

mod attachments;
mod reactions;
mod text;

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
    envelope::{ApiError, Reply, code},
    ids::{CommentId, NodeId},
    params::{JsonObject, Params, Query},
    routes::{Caller, Routes, Scope},
    store::{
        accounts::{self, Workspace},
        comments::{self, Comment, Listing},
        events::{self, EventName},
        reactions as rows_of,
    },
    time::Instant,
};

/// Comments that one call may delete. No number is published.
const BULK_MAX: usize = 100;

pub(super) fn routes(routes: Routes) -> Routes {
    let entities = [("workspace", Scope::Workspace), ("share", Scope::Share)];
    let routes = entities.into_iter().fold(routes, |routes, (entity, scope)| {
        let (all, of_node) = (
            format!("/comments/{entity}/{{workspace}}/"),
            format!("/comments/{entity}/{{workspace}}/{{node}}/"),
        );
        routes
            .post(&of_node, "comments.create", scope, create)
            .get(&of_node, "comments.list", scope, list_of_node)
            .get(&all, "comments.list", scope, list_all)
    });
    let routes = routes
        .get("/comments/{comment}/details/", "comments.details", Scope::Comment, details)
        .post("/comments/{comment}/update/", "comments.update", Scope::Comment, update)
        .delete("/comments/{comment}/delete/", "comments.delete", Scope::Comment, delete)
        .post("/comments/bulk/delete/", "comments.bulk_delete", Scope::Account, bulk_delete);
    attachments::routes(reactions::routes(routes))
}

async fn create(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(node): NodePath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let text = text::text(&body)?;
    let targets = attachments::targets(&body)?;
    let now = Instant::now();
    app.store.write(|rows| {
        storage::live(rows, &workspace, &node)?;
        let comment = Comment {
            id: CommentId::random(),
            entity: workspace.kind,
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
        attachments::attach(rows, &workspace, &comment.id, &targets)?;
        announce(rows, &workspace, &caller, &comment)?;
        reply(rows, &comment)
    })
}

/// A reply and each mention have events of their own.
fn announce(
    rows: &Connection,
    workspace: &Workspace,
    caller: &Caller,
    comment: &Comment,
) -> Result<(), ApiError> {
    let mut names = vec![EventName::CommentCreated];
    names.extend(comment.parent.as_ref().map(|_| EventName::CommentReplied));
    names.extend(text::mentions(&comment.body).iter().map(|_| EventName::CommentMentioned));
    for name in names {
        events::record(rows, workspace, &caller.user, name, comment.id.as_str())?;
    }
    Ok(())
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

/// `sort` is `asc` or `desc` as in the official client, or the field with its direction.
fn list(app: &App, workspace: &Workspace, node: Option<&NodeId>, query: &Params) -> Result<Reply, ApiError> {
    let page = Offset::within(query, 2, 200)?;
    let sort = query.one_of("sort", &["asc", "desc", "created", "-created"])?;
    let listing = Listing {
        workspace: &workspace.id,
        node: node.map(NodeId::as_str),
        include_deleted: query.flag("include_deleted")?,
        newest_first: matches!(sort, Some("desc" | "-created")),
        limit: page.limit,
        offset: page.offset,
    };
    app.store.read(|rows| {
        let (found, total) = comments::list(rows, &listing)?;
        let found = found.iter().map(|comment| view(rows, comment)).collect::<Result<Vec<_>, _>>()?;
        Ok(Reply::new().with("comments", found).with("pagination", page.describe(total)))
    })
}

async fn details(State(app): State<App>, CommentPath(id): CommentPath) -> Result<Reply, ApiError> {
    app.store.read(|rows| reply(rows, &live(rows, &id)?))
}

async fn update(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let text = text::text(&body)?;
    app.store.write(|rows| {
        change(rows, &caller, &id, EventName::CommentUpdated, |comment| {
            if let Some(properties) = object(&body, "properties")? {
                comment.properties = Some(properties);
            }
            comment.body = text;
            Ok(())
        })
    })
}

async fn delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    CommentPath(id): CommentPath,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| delete_one(rows, &caller, &id))
}

fn delete_one(rows: &Connection, caller: &Caller, id: &CommentId) -> Result<Reply, ApiError> {
    change(rows, caller, id, EventName::CommentDeleted, |comment| {
        comment.deleted = Some(Instant::now());
        Ok(())
    })
}

/// Body `{"comment_ids": […]}`. Those that cannot be deleted are told one by one.
async fn bulk_delete(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let ids = match body.get("comment_ids") {
        None => return Err(ApiError::missing("comment_ids", "array")),
        Some(Value::Array(ids)) if (1..=BULK_MAX).contains(&ids.len()) => ids,
        Some(_) => return Err(ApiError::invalid("comment_ids", "must be a list of 1 to 100 ids", "array")),
    };
    app.store.write(|rows| {
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            let outcome = id
                .as_str()
                .and_then(|text| CommentId::parse(text).ok())
                .ok_or_else(|| ApiError::malformed_id("comment_ids"))
                .and_then(|id| delete_one(rows, &caller, &id));
            match outcome {
                Ok(_) => deleted.push(id),
                Err(error) => errors.push(json!({
                    "comment_id": id, "code": error.code(), "message": error.text(),
                })),
            }
        }
        Ok(Reply::new().with("deleted", deleted).with("errors", errors))
    })
}

/// Changes a comment of the caller's own.
fn change(
    rows: &Connection,
    caller: &Caller,
    id: &CommentId,
    event: EventName,
    act: impl FnOnce(&mut Comment) -> Result<(), ApiError>,
) -> Result<Reply, ApiError> {
    let mut comment = own(rows, caller, id)?;
    act(&mut comment)?;
    comment.updated = Instant::now();
    comments::put(rows, &comment)?;
    record(rows, caller, &comment, event)?;
    reply(rows, &comment)
}

fn record(rows: &Connection, caller: &Caller, comment: &Comment, event: EventName) -> Result<(), ApiError> {
    let workspace = workspace(rows, comment)?;
    events::record(rows, &workspace, &caller.user, event, comment.id.as_str())?;
    Ok(())
}

fn workspace(rows: &Connection, comment: &Comment) -> Result<Workspace, ApiError> {
    accounts::find_profile(rows, comment.workspace.as_str())?.ok_or_else(|| ApiError::not_found("workspace"))
}

fn live(rows: &Connection, id: &CommentId) -> Result<Comment, ApiError> {
    comments::find(rows, id)?
        .filter(|comment| comment.deleted.is_none())
        .ok_or_else(|| ApiError::not_found("comment"))
}

fn own(rows: &Connection, caller: &Caller, id: &CommentId) -> Result<Comment, ApiError> {
    let comment = live(rows, id)?;
    if comment.author == caller.user {
        return Ok(comment);
    }
    let text = "Only the author of a comment may change it";
    Err(ApiError::new(http::StatusCode::FORBIDDEN, code::ACCESS_DENIED, text))
}

/// Threads have one level: a reply to a reply becomes one to the comment that begins the thread.
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
    Ok(Some(parent.parent.unwrap_or(id)))
}

fn object(body: &Map<String, Value>, name: &str) -> Result<Option<Value>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value @ Value::Object(_)) => Ok(Some(value.clone())),
        Some(_) => Err(ApiError::invalid(name, "must be an object", "object")),
    }
}

fn reply(rows: &Connection, comment: &Comment) -> Result<Reply, ApiError> {
    Ok(Reply::new().with("comment", view(rows, comment)?))
}

fn view(rows: &Connection, comment: &Comment) -> Result<Value, ApiError> {
    let reactions: Vec<Value> = rows_of::list(rows, &comment.id)?
        .into_iter()
        .map(|(emoji, user)| json!({ "emoji": emoji, "user_id": user }))
        .collect();
    Ok(json!({
        "id": comment.id,
        "entity_type": comment.entity.as_str(),
        "entity_id": comment.workspace,
        "node_id": comment.node,
        "profile_id": comment.author,
        "parent_id": comment.parent,
        "body": comment.body,
        "reference": comment.reference,
        "properties": comment.properties,
        "reactions": reactions,
        "attachments": rows_of::attached(rows, &comment.id)?,
        "created": comment.created,
        "updated": comment.updated,
        "deleted": comment.deleted,
    }))
}
