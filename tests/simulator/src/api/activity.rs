//! The long poll that says what kind of thing has changed.

use std::time::Duration;

use axum::{Extension, extract::State};
use rusqlite::Connection;
use tokio::time::timeout_at;

use super::path::EntityPath;
use crate::{
    app::App,
    envelope::{ApiError, Reply},
    ids::ProfileId,
    params::Query,
    routes::{Caller, Routes, Scope},
    store::{accounts, events, uploads},
    time::Instant,
};

/// Longest `wait`, in seconds.
const WAIT_MAX: u64 = 95;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/activity/poll/{entity}/", "activity.poll", Scope::Entity, poll)
}

/// Answers when there is something newer than `lastactivity`, or with nothing when `wait` is over.
/// Without `lastactivity` it answers at once, with the instant to start from.
async fn poll(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    EntityPath(entity): EntityPath,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    query.flag("updated")?;
    let wait = query.number("wait", 0..=WAIT_MAX)?.unwrap_or(0);
    // The instant is taken while no change is under way: one that began before it is over.
    let (entity, now) =
        app.store.read(|rows| Ok::<_, ApiError>((find(rows, &caller, &entity)?, Instant::now())))?;
    let Some(last) = query.optional("lastactivity") else { return Ok(reply(&[], now)) };
    let last = Instant::parse(last).ok_or_else(|| {
        ApiError::invalid("lastactivity", "must be a `lastactivity` of an answer", "datetime")
    })?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(wait);
    let mut commits = app.store.commits();
    loop {
        commits.mark_unchanged();
        let (keys, newest) = app.store.read(|rows| activity(rows, &entity, last))?;
        let waiting = keys.is_empty();
        if waiting && matches!(timeout_at(deadline, commits.changed()).await, Ok(Ok(()))) {
            continue;
        }
        return Ok(reply(&keys, newest));
    }
}

/// A workspace or share, an organisation, or the caller: uploads are announced under the user.
fn find(rows: &Connection, caller: &Caller, entity: &str) -> Result<ProfileId, ApiError> {
    if let Some(profile) = accounts::find_profile(rows, entity)? {
        return Ok(profile.id);
    }
    if let Some(org) = accounts::find_org(rows, entity)? {
        return Ok(org.id);
    }
    if entity == caller.user.as_str() {
        return Ok(caller.user.clone());
    }
    Err(ApiError::not_found("entity"))
}

fn activity(
    rows: &Connection,
    entity: &ProfileId,
    after: Instant,
) -> rusqlite::Result<(Vec<String>, Instant)> {
    let (mut keys, mut newest) = (Vec::new(), after);
    for event in events::since(rows, entity, after)? {
        let kind = if event.name.starts_with("comment_") { "comments" } else { "storage" };
        keys.push(format!("{kind}:{}", event.object));
        newest = newest.max(event.created);
    }
    for session in uploads::changed_since(rows, entity, after)? {
        keys.push(format!("uploads:{}", session.id));
        newest = newest.max(session.updated);
    }
    keys.sort_unstable();
    keys.dedup();
    Ok((keys, newest))
}

fn reply(keys: &[String], last: Instant) -> Reply {
    Reply::new().with("activity", keys).with("lastactivity", last.civil_micros())
}
