//! Whether the API key may read what the intake follows: the organisation's change feed, or else the event log of the
//! workspace. Asked seldom: the rights of a key hardly change, and both calls have narrow rate limits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastio::{Client, Error, EventSearch, WorkspaceId};
use fastio_crds::conditions::Reason;

use super::super::delivery::{Follow, Route, Why};
use super::super::validate::Valid;
use super::RemoteError;
use crate::problem::{Outlook, Problem};

/// How long it counts that the feed can be read.
const READABLE: Duration = Duration::from_mins(10);
/// How long it counts that it cannot: somebody may just be widening the key's scopes.
const UNREADABLE: Duration = Duration::from_mins(2);
/// How soon it is looked again. A changed API key or spec is noticed sooner.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// What the key may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::webhook) enum Feed {
    /// The change feed of the organisation.
    Changes,
    /// The event log of the workspace.
    Events,
    /// Neither; what Fast.io says about it.
    Unreadable(String),
}

/// What was last answered, for each object by uid.
#[derive(Debug, Default)]
pub(in crate::webhook) struct Feeds(Mutex<HashMap<String, Seen>>);

#[derive(Debug, Clone)]
struct Seen {
    key_fingerprint: String,
    at: Instant,
    feed: Feed,
}

impl Seen {
    fn is_fresh(&self, now: Instant) -> bool {
        let keep = match self.feed {
            Feed::Changes | Feed::Events => READABLE,
            Feed::Unreadable(_) => UNREADABLE,
        };
        now.duration_since(self.at) < keep
    }
}

impl Feeds {
    /// What a key may read, seen now or a short time ago. While Fast.io cannot be asked, the last answer counts.
    pub(in crate::webhook) async fn look(
        &self,
        client: &Client,
        uid: &str,
        workspace: &WorkspaceId,
        key: &KeyName<'_>,
    ) -> Result<Feed, Problem> {
        let now = Instant::now();
        let known = self.get(uid).filter(|seen| seen.key_fingerprint == key.fingerprint);
        if let Some(seen) = known.as_ref().filter(|seen| seen.is_fresh(now)) {
            return Ok(seen.feed.clone());
        }
        match probe(client, workspace).await.map_err(|error| error.problem_with(key.secret)) {
            Ok(feed) => {
                let seen = Seen { key_fingerprint: key.fingerprint.to_owned(), at: now, feed: feed.clone() };
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned(), seen);
                Ok(feed)
            }
            Err(problem) => match known {
                Some(seen) if matches!(problem.outlook, Outlook::Passing { .. }) => Ok(seen.feed),
                _ => Err(problem),
            },
        }
    }

    /// The object is gone.
    pub(in crate::webhook) fn forget(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    fn get(&self, uid: &str) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }
}

/// Which key it is.
#[derive(Debug)]
pub(in crate::webhook) struct KeyName<'a> {
    /// Name of its Secret.
    pub(in crate::webhook) secret: &'a str,
    /// Fingerprint of its value.
    pub(in crate::webhook) fingerprint: &'a str,
}

/// What can be read. Where the feed is the only way in, it must be something; as a safety net it may be missing.
pub(in crate::webhook) fn required(
    route: Route<'_>,
    feed: Option<Result<Feed, Problem>>,
    valid: &Valid,
) -> Result<Option<Feed>, Problem> {
    let alone = route.follow() == Follow::Live;
    match feed.transpose() {
        Ok(Some(Feed::Unreadable(why))) if alone => Err(forbidden(route, valid, &why)),
        Err(problem) if !alone => {
            tracing::info!(webhook = %valid.key, problem = problem.message, "it is not known whether the feed can be read");
            Ok(None)
        }
        answer => answer,
    }
}

fn forbidden(route: Route<'_>, valid: &Valid, why: &str) -> Problem {
    let instead = match route {
        Route::Pull(Why::Wanted) => ", or set spec.delivery to Push and spec.endpoint",
        _ => "",
    };
    let message = format!(
        "the API key of Secret {} may not read what happens in workspace {}, so that an upload would be noticed only when \
         the whole workspace is listed: {why}; give the key the admin mode rwa for the organisation{instead}",
        valid.api_key.name, valid.workspace
    );
    Problem::needs_action(Reason::FeedForbidden, message, LOOK_AGAIN)
}

async fn probe(client: &Client, workspace: &WorkspaceId) -> Result<Feed, RemoteError> {
    let details = client.workspace(workspace).await?;
    let changes = match client.organisation_of(&details).await? {
        Some(org) => match refusal(client.org_changes(&org, None, 1).await)? {
            None => return Ok(Feed::Changes),
            Some(refusal) => format!("the change feed of organisation {org}: {refusal}"),
        },
        None => "the change feed: the key does not see the workspace's organisation".to_owned(),
    };
    let search = EventSearch { limit: 1, ..EventSearch::new(workspace.clone()) };
    Ok(match refusal(client.search_events(&search, None).await)? {
        None => Feed::Events,
        Some(refusal) => {
            Feed::Unreadable(format!("{changes}; the events of workspace {workspace}: {refusal}"))
        }
    })
}

/// `None` if it can be read. The intake looks for another way in the same cases.
fn refusal<T>(answer: fastio::Result<T>) -> Result<Option<Error>, Error> {
    match answer {
        Ok(_) => Ok(None),
        Err(error) if error.is_closed_to_key() => Ok(Some(error)),
        Err(error) => Err(error),
    }
}
