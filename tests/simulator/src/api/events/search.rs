//! The event log: search, details, acknowledging.

use axum::{Extension, extract::State};
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::{page, path::EventPath};
use crate::{
    app::App,
    envelope::{ApiError, Reply, code},
    ids::ProfileId,
    params::{Form, Params, Query},
    routes::{Caller, Routes, Scope, output},
    store::events::{self, Event, Filter},
    time::Instant,
};

const SEARCH_MAX: usize = 250;
/// Parameters that say whose events are wanted, with their columns. Workspaces and shares have one.
const SCOPES: [(&str, &str); 4] =
    [("workspace_id", "workspace"), ("share_id", "workspace"), ("org_id", "org"), ("user_id", "user")];
const NAMES_MAX: usize = 100;
/// The values of `visibility`.
const VISIBILITIES: [&str; 2] = ["external_audit_log", "external"];
/// Which of them every event here has. (No source says which events have the other.)
const VISIBILITY: &str = "external";
/// What a search for the children of an event may not be combined with.
const NOT_WITH_PARENT: [&str; 12] = [
    "workspace_id",
    "share_id",
    "org_id",
    "user_id",
    "event",
    "category",
    "subcategory",
    "calling_user_id",
    "object_id",
    "visibility",
    "created-min",
    "created-max",
];

pub(in crate::api) fn routes(routes: Routes) -> Routes {
    routes
        .get("/events/search/", "events.search", Scope::Query, search)
        .get("/event/{event}/details/", "events.details", Scope::Event, details)
        .post("/event/{event}/ack/", "events.ack", Scope::Event, acknowledge)
}

/// Newest first. One of the scopes must be named.
async fn search(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    if !caller.rights.events_search {
        let text = "Reading the event log needs an administrative scope (rwa)";
        return Err(ApiError::new(StatusCode::FORBIDDEN, code::NOT_ADMIN, text));
    }
    let limit = query.number("limit", 1..=SEARCH_MAX)?.unwrap_or(100);
    let offset = query.number("offset", 0..=i64::MAX)?.unwrap_or(0);
    let before = query
        .optional("cursor")
        .map(|cursor| {
            page::decode::<i64>(cursor)
                .ok_or_else(|| ApiError::invalid("cursor", "is not a cursor", "string"))
        })
        .transpose()?;
    let filter = filter(&query)?;
    let mut found = app.store.read(|rows| events::search(rows, filter, before, limit + 1, offset))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|event| page::encode(&event.seq));
    let found: Vec<Value> = found.iter().map(view(&query)).collect();
    Ok(Reply::new().with("events", found).with("pagination", page::cursor_page(next.as_deref(), limit)))
}

fn filter(query: &Params) -> Result<Filter, ApiError> {
    let mut filter = Filter::default();
    let mut scoped = false;
    if query.optional("parent_event_id").is_some() {
        if let Some(other) = NOT_WITH_PARENT.iter().find(|name| query.optional(name).is_some()) {
            let message = format!("cannot be combined with {other}");
            return Err(ApiError::invalid("parent_event_id", &message, "event id"));
        }
        // Events of series and batches have children. There are none of those here.
        filter.and_any("id", std::iter::empty());
        scoped = true;
    }
    for (name, column) in SCOPES {
        let Some(id) = query.optional(name) else { continue };
        let id = ProfileId::parse(id).ok_or_else(|| wrong_scope(&format!("`{name}` is not a profile id")))?;
        filter.and(column, "=", id.as_str().to_owned());
        scoped = true;
    }
    if !scoped {
        let text = "One of workspace_id, share_id, org_id, user_id and parent_event_id is required";
        return Err(wrong_scope(text));
    }
    for (name, column) in [
        ("category", "category"),
        ("subcategory", "sub_category"),
        ("calling_user_id", "user"),
        ("object_id", "object"),
    ] {
        if let Some(value) = query.optional(name) {
            filter.and(column, "=", value.to_owned());
        }
    }
    if let Some(visibility) = query.one_of("visibility", &VISIBILITIES)?
        && visibility != VISIBILITY
    {
        filter.and_any("id", std::iter::empty());
    }
    if query.optional("acknowledged").is_some() {
        filter.and("acknowledged", "=", query.flag("acknowledged")?);
    }
    if let Some(names) = query.optional("event") {
        let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
        if names.len() > NAMES_MAX {
            return Err(ApiError::invalid("event", "must be at most 100 names", "string"));
        }
        filter.and_any("event", names.into_iter());
    }
    for (name, operator) in [("created-min", ">="), ("created-max", "<=")] {
        if let Some(text) = query.optional(name) {
            let instant = Instant::parse(text).ok_or_else(|| {
                ApiError::invalid(name, "must be a date like 2026-07-20 09:15:00", "datetime")
            })?;
            filter.and("created", operator, instant.micros());
        }
    }
    Ok(filter)
}

fn wrong_scope(text: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_ACCEPTABLE, code::EVENT_SCOPE, text)
}

async fn details(
    State(app): State<App>,
    EventPath(id): EventPath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let event = app.store.read(|rows| events::find(rows, &id))?;
    let event = event.ok_or_else(|| ApiError::not_found("event"))?;
    Ok(Reply::new().with("event", view(&query)(&event)))
}

async fn acknowledge(
    State(app): State<App>,
    EventPath(id): EventPath,
    Form(_): Form,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let event = events::find(rows, &id)?.ok_or_else(|| ApiError::not_found("event"))?;
        events::acknowledge(rows, &event.id)?;
        Ok(Reply::new())
    })
}

/// In the level of detail that is asked for.
fn view(query: &Params) -> fn(&Event) -> Value {
    if output::level(query) == Some("terse") { terse_view } else { full_view }
}

fn terse_view(event: &Event) -> Value {
    json!({
        "event_id": event.id,
        "event": event.name,
        "category": event.category,
        "object_id": event.object,
        "created": event.created,
    })
}

fn full_view(event: &Event) -> Value {
    json!({
        "event_id": event.id,
        "event": event.name,
        "category": event.category,
        "sub_category": event.sub_category,
        "object_id": event.object,
        "created": event.created,
        "calling_user": event.user,
        "user_id": event.user,
        "org_id": event.org,
        "workspace_id": (event.category == "workspace").then_some(&event.workspace),
        "share_id": (event.category == "share").then_some(&event.workspace),
        "acknowledged": event.acknowledged,
        "template": null,
        "severity": "info",
        "visibility": VISIBILITY,
        "notification": false,
    })
}
