//! The change feed of an organisation: what was stored, moved and deleted, in order, without details.

use axum::{Extension, extract::State};
use http::StatusCode;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    api::page,
    app::App,
    envelope::{ApiError, Reply, code},
    ids::ProfileId,
    params::{Params, Query},
    routes::{Caller, Routes, Scope},
    store::{
        accounts::{self, Org},
        events::{self, Event},
    },
    time::Instant,
};

const MOST: usize = 1000;
const DEFAULT: usize = 250;

pub(in crate::api) fn routes(routes: Routes) -> Routes {
    routes.get("/org/{org}/events/changes/", "events.changes", Scope::Org, changes)
}

/// A position in the feed, bound to who reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    user: ProfileId,
    org: ProfileId,
    after: i64,
    /// Unix seconds.
    issued: i64,
}

/// Without a cursor: an empty page and the cursor of now.
async fn changes(
    State(app): State<App>,
    Extension(org): Extension<Org>,
    Extension(caller): Extension<Caller>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    if !caller.rights.org_changes || org.external {
        let text = "There is nothing in this organization that the credential may read";
        return Err(ApiError::new(StatusCode::FORBIDDEN, code::NOTHING_READABLE, text));
    }
    let limit = query.number("limit", 1..=MOST)?.unwrap_or(DEFAULT);
    let from = cursor(&app, &org, &caller, &query)?;
    if let Some(from) = &from
        && app.faults.stalls_feed(org.id.as_str())
    {
        // A change is there but not settled yet: the same cursor, again.
        return app.store.read(|rows| reply(rows, &org, &[], from, true));
    }
    app.store.read(|rows| {
        let head = events::head(rows)?;
        let (mut found, after) = match from {
            None => (Vec::new(), head),
            Some(from) => (events::changes(rows, &org.id, from.after, limit + 1)?, head.max(from.after)),
        };
        let has_more = found.len() > limit;
        found.truncate(limit);
        let after = found.last().filter(|_| has_more).map_or(after, |event| event.seq);
        let cursor = Cursor {
            user: caller.user.clone(),
            org: org.id.clone(),
            after,
            issued: Instant::now().seconds(),
        };
        reply(rows, &org, &found, &cursor, has_more)
    })
}

/// The cursor of the call. One that is too old has a code of its own.
fn cursor(app: &App, org: &Org, caller: &Caller, query: &Params) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = query.optional("cursor") else { return Ok(None) };
    let cursor = page::decode::<Cursor>(text)
        .filter(|cursor| cursor.user == caller.user && cursor.org == org.id)
        .ok_or_else(|| {
            let message = "is not a cursor of yours";
            ApiError::input(code::CHANGE_CURSOR, "cursor", "invalid", message, "string")
        })?;
    let age = Instant::now().seconds() - cursor.issued;
    if age >= i64::try_from(app.settings.change_cursor_lifetime.as_secs()).unwrap_or(i64::MAX) {
        let text = "The cursor has expired: begin again without one";
        return Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, code::CURSOR_EXPIRED, text)
            .params(json!({ "reason": "cursor_expired" })));
    }
    Ok(Some(cursor))
}

fn reply(
    rows: &Connection,
    org: &Org,
    found: &[Event],
    cursor: &Cursor,
    has_more: bool,
) -> Result<Reply, ApiError> {
    let mut profiles = accounts::workspaces(rows, Some(&org.id))?;
    profiles.extend(accounts::shares(rows, &org.id)?);
    let items: Vec<Value> =
        profiles.iter().map(|profile| json!({ "id": profile.id, "type": profile.kind.as_str() })).collect();
    Ok(Reply::new()
        .with("changes", found.iter().map(change_view).collect::<Vec<_>>())
        .with("cursor", page::encode(cursor))
        .with("has_more", has_more)
        .with("profiles", json!({ "version": items.len(), "items": items })))
}

fn change_view(event: &Event) -> Value {
    json!({
        "event_id": event.id,
        "event": event.name,
        "profile_id": event.workspace,
        "profile_type": event.category,
        "object_id": event.object,
        "created": event.created,
    })
}
