//! Metadata facts of nodes: typed values that a user sets. (The older templates are retired.)
//!
//! A write is all or nothing. A name that the workspace has not seen declares the field with the type
//! of its value, for good. `null` writes nothing.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{page::Offset, path::NodePath, storage};
use crate::{
    app::App,
    envelope::{ApiError, Reply, code},
    ids::NodeId,
    params::{Form, JsonObject, Query},
    routes::{Caller, Routes, Scope},
    store::{
        accounts::Workspace,
        events::{self, EventName},
        metadata::{self, Fact},
    },
};

const ENTRIES_MAX: usize = 100;
const NAME_MAX: usize = 64;

pub(super) fn routes(routes: Routes) -> Routes {
    let at = |path: &str| format!("/workspace/{{workspace}}/storage/{{node}}/metadata/{path}");
    routes
        .get(&at("facts/"), "metadata.facts", Scope::Workspace, read)
        .post(&at("facts/"), "metadata.set_facts", Scope::Workspace, write)
        .get(&at("details/"), "metadata.details", Scope::Workspace, read)
        .get(&at("versions/"), "metadata.versions", Scope::Workspace, versions)
        .delete(&at(""), "metadata.delete", Scope::Workspace, delete)
}

/// The facts as they were after each change, newest first.
async fn versions(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(node): NodePath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let found = app.store.read(|rows| {
        storage::existing(rows, &workspace, &node)?;
        Ok::<_, ApiError>(metadata::versions(rows, &node)?)
    })?;
    let (found, pagination) = Offset::read(&query)?.cut(found);
    let found: Vec<Value> = found
        .iter()
        .map(|version| {
            json!({
                "id": version.id, "user_id": version.user, "items": version.items, "created": version.created,
            })
        })
        .collect();
    Ok(Reply::new().with("object_id", node).with("versions", found).with("pagination", pagination))
}

async fn read(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    NodePath(node): NodePath,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| {
        storage::existing(rows, &workspace, &node)?;
        reply(rows, &workspace, &node)
    })
}

/// Body `{"facts": {name: value}}`. Answers with all facts of the node.
async fn write(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(node): NodePath,
    JsonObject(body): JsonObject,
) -> Result<Reply, ApiError> {
    let facts = match body.get("facts") {
        None => return Err(ApiError::missing("facts", "object")),
        Some(Value::Object(facts)) if (1..=ENTRIES_MAX).contains(&facts.len()) => facts,
        Some(_) => {
            return Err(ApiError::invalid("facts", "must be an object of 1 to 100 entries", "object"));
        }
    };
    app.store.write(|rows| {
        storage::live(rows, &workspace, &node)?;
        let mut refused = Vec::new();
        for (name, value) in facts {
            if let Err(message) = set(rows, &workspace, &node, name, value)? {
                refused.push(json!({
                    "name": name, "kind": "invalid", "code": code::BAD_INPUT, "message": message,
                    "expected_type": "fact",
                }));
            }
        }
        if !refused.is_empty() {
            let text = "Some facts were refused, nothing was written";
            return Err(
                ApiError::new(http::StatusCode::NOT_ACCEPTABLE, code::BAD_INPUT, text).params(refused.into())
            );
        }
        if facts.values().any(|value| !value.is_null()) {
            changed(rows, &workspace, &caller, &node, EventName::MetadataUpdated)?;
        }
        reply(rows, &workspace, &node)
    })
}

fn set(
    rows: &Connection,
    workspace: &Workspace,
    node: &NodeId,
    name: &str,
    value: &Value,
) -> rusqlite::Result<Result<(), String>> {
    if name.is_empty() || name.trim() != name || name.chars().count() > NAME_MAX {
        return Ok(Err("a name has 1 to 64 characters, no space at its ends".to_owned()));
    }
    let Some(kind) = type_of(value) else { return Ok(Ok(())) };
    match metadata::declared_type(rows, &workspace.id, name)? {
        Some(declared) if !accepts(&declared, kind) => {
            return Ok(Err(format!("the field is declared as {declared}, the value is {kind}")));
        }
        Some(_) => {}
        None => metadata::declare(rows, &workspace.id, name, kind)?,
    }
    metadata::set(rows, node, name, value, kind)?;
    Ok(Ok(()))
}

fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("bool"),
        Value::Number(number) if number.is_f64() => Some("float"),
        Value::Number(_) => Some("int"),
        Value::String(_) => Some("string"),
        Value::Array(_) | Value::Object(_) => Some("json"),
    }
}

fn accepts(declared: &str, kind: &str) -> bool {
    declared == kind || (declared == "float" && kind == "int") || declared == "json"
}

/// Field names in `keys`: a comma-separated list or a JSON list, in the query or in a form.
async fn delete(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Extension(caller): Extension<Caller>,
    NodePath(node): NodePath,
    Query(query): Query,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let params = query.or(form);
    let keys = params.required("keys")?;
    let keys: Vec<String> = serde_json::from_str(keys)
        .unwrap_or_else(|_| keys.split(',').map(|key| key.trim().to_owned()).collect());
    app.store.write(|rows| {
        storage::live(rows, &workspace, &node)?;
        let mut deleted = false;
        for key in &keys {
            deleted |= metadata::delete(rows, &node, key)?;
        }
        if deleted {
            changed(rows, &workspace, &caller, &node, EventName::MetadataDeleted)?;
        }
        reply(rows, &workspace, &node)
    })
}

/// Writes the event and the new version.
fn changed(
    rows: &Connection,
    workspace: &Workspace,
    caller: &Caller,
    node: &NodeId,
    event: EventName,
) -> Result<(), ApiError> {
    let items: Vec<Value> = metadata::facts(rows, &workspace.id, node)?.iter().map(view).collect();
    metadata::put_version(rows, node, &caller.user, &items.into())?;
    events::record(rows, workspace, &caller.user, event, node.as_str())?;
    Ok(())
}

fn reply(rows: &Connection, workspace: &Workspace, node: &NodeId) -> Result<Reply, ApiError> {
    let items: Vec<Value> = metadata::facts(rows, &workspace.id, node)?.iter().map(view).collect();
    Ok(Reply::new().with("object_id", node).with("count", items.len()).with("items", items))
}

fn view(fact: &Fact) -> Value {
    json!({
        "field": fact.field,
        "value": fact.value,
        "declared_type": fact.declared_type,
        "stored_type": fact.stored_type,
        "source": "user",
        "confidence": null,
        "rationale": null,
        "updated": fact.updated,
    })
}
