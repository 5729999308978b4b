//! Searching by name. The parameters and the form of the answer are those of the guide for agents (1.41, October 2026)
//! and of the official client's newer files.
//!
//! Intelligence is off everywhere here, so a search matches names only: nothing is summarised and nothing indexed, and what
//! narrows the search by meaning changes nothing.

mod name;
mod scope;

use axum::{Extension, extract::State};
use serde_json::{Map, Value, json};

use self::name::Pattern;
use super::view;
use crate::{
    api::page::Offset,
    app::App,
    envelope::{ApiError, Reply},
    params::{Params, Query},
    store::{
        accounts::{ProfileKind, Workspace},
        listing,
    },
};

/// Results of a page that has whole nodes in it, unless `limit` says otherwise.
const DETAILED: i64 = 10;
/// Matches that one search looks at, except with `name_match=auto`.
const EXAMINED: usize = 1_000;

pub(super) async fn search(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    refuse_filters(&query, &workspace)?;
    let text = query.required("search")?;
    let search_in = choice(&query, "search_in", &["filename", "content", "both"])?;
    let pattern = Pattern::read(&query, text)?;
    let details = query.flag("details")?;
    let mut page = Offset::read(&query)?;
    if details && query.optional("limit").is_none() {
        page.limit = DETAILED;
    }
    let (found, total) = app.store.read(|rows| {
        scope::check(rows, &workspace, &query)?;
        if search_in == Some("content") {
            return Ok((Vec::new(), 0));
        }
        let most = if pattern.is_precise() { EXAMINED } else { usize::MAX };
        let range = (page.limit, page.offset);
        Ok::<_, ApiError>(listing::search(rows, &workspace.id, |name| pattern.matches(name), most, range)?)
    })?;
    let files: Map<String, Value> =
        found.iter().map(|node| (node.id.to_string(), view::found(node, details))).collect();
    let reply = Reply::new().with("files", files).with("pagination", page.describe(total));
    Ok(if search_in.is_some() { reply.with("search_metadata", capabilities()) } else { reply })
}

/// `filters` is a list of conditions on metadata; which operators there are is not published. A share has no such
/// parameter: it answers without filtering, as to every parameter that it does not know.
fn refuse_filters(query: &Params, workspace: &Workspace) -> Result<(), ApiError> {
    if workspace.kind == ProfileKind::Workspace { query.refuse(&["filters"]) } else { Ok(()) }
}

/// One of some names, in whatever case.
fn choice(query: &Params, name: &str, choices: &[&'static str]) -> Result<Option<&'static str>, ApiError> {
    let Some(value) = query.optional(name) else { return Ok(None) };
    let chosen = choices.iter().find(|choice| choice.eq_ignore_ascii_case(value));
    chosen
        .map(|choice| Some(*choice))
        .ok_or_else(|| ApiError::invalid(name, &format!("must be one of {}", choices.join(", ")), "string"))
}

/// What a search can do here. Told only to those who say where to search. Everybody may search summaries, of which there
/// are none, so that searching content is possible and finds nothing.
fn capabilities() -> Value {
    json!({
        "intelligence_enabled": false,
        "semantic_available": false,
        "scoped": false,
        "content_search_available": true,
        "reason": null,
    })
}
