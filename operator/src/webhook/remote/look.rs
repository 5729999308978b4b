//! Looking at Fast.io, not more often than needed: the API has a rate limit, and pods change often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastio::{Client, Webhook, Webhooks, WorkspaceId};

use super::super::observe::FoundKey;
use super::session::Session;
use super::{Found, RemoteError, is_marked};
use crate::context::Context;
use crate::problem::{Explain, Outlook, Problem};

/// How long a look at Fast.io counts.
const FRESH: Duration = Duration::from_mins(1);
/// How long it counts that the service has no webhooks at all.
const UNSUPPORTED: Duration = Duration::from_mins(10);
/// How long an answer counts while Fast.io cannot be asked: a short outage of the API does not make a webhook unready.
const TRUSTED: Duration = Duration::from_mins(5);

/// How long it counts that the key may not register or change a webhook, where it works without.
const REFUSED: Duration = Duration::from_mins(5);

/// Which webhook, and for which state of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Uid of the object.
    pub uid: String,
    /// `spec.workspaceId`.
    pub workspace: String,
    /// Generation of the object: a changed spec is worth a fresh look.
    pub generation: Option<i64>,
    /// Whether its webhooks are of interest, or only whether the key sees the workspace.
    pub webhooks: bool,
}

/// What was last seen, for each object by uid.
#[derive(Debug, Default)]
pub struct Remotes(Mutex<HashMap<String, Seen>>);

#[derive(Debug, Clone)]
struct Seen {
    identity: Identity,
    key_fingerprint: String,
    client: Client,
    /// `None`: what was seen is not true any more.
    looked: Option<Instant>,
    answer: Result<Option<Found>, Problem>,
    good: Option<Good>,
    refused: Option<Refused>,
}

/// A webhook could not be registered or changed: the key may not.
#[derive(Debug, Clone)]
struct Refused {
    at: Instant,
    generation: Option<i64>,
    why: String,
}

/// The last good answer.
#[derive(Debug, Clone)]
struct Good {
    at: Instant,
    found: Option<Found>,
}

impl Seen {
    fn is_fresh(&self, now: Instant) -> bool {
        let keep = match &self.answer {
            Ok(Some(Found::Unsupported)) => UNSUPPORTED,
            Ok(_) => FRESH,
            Err(problem) => match problem.outlook {
                Outlook::Passing { at_least } => at_least.unwrap_or_default(),
                Outlook::Waiting(_) | Outlook::NeedsAction(_) => FRESH,
            },
        };
        self.looked.is_some_and(|looked| now.duration_since(looked) < keep)
    }

    fn trusted(&self, now: Instant) -> Option<&Good> {
        self.good.as_ref().filter(|good| now.duration_since(good.at) < TRUSTED)
    }
}

impl Remotes {
    /// The webhooks that carry the object's marker, seen now or a short time ago.
    pub(in crate::webhook) async fn look(
        &self,
        context: &Context,
        identity: Identity,
        key: FoundKey,
    ) -> Result<Session, Problem> {
        let known = self.get(&identity.uid);
        let same_key = known.filter(|seen| seen.key_fingerprint == key.fingerprint);
        let now = Instant::now();
        if let Some(seen) = same_key.as_ref().filter(|seen| seen.identity == identity && seen.is_fresh(now)) {
            return session(seen, seen.answer.clone());
        }
        // The client of a key is kept: it knows the rate limit that the key has used up.
        let client = match &same_key {
            Some(seen) => seen.client.clone(),
            None => context.fastio(key.key).map_err(|error| RemoteError::from(error).problem())?,
        };
        let answer = ask(&client, &identity, same_key.is_none()).await;
        let answer = answer.map_err(|error| error.problem_with(&key.secret));
        let refused = same_key.as_ref().and_then(|seen| seen.refused.clone());
        let before = same_key.filter(|seen| seen.identity.webhooks == identity.webhooks);
        let good = match &answer {
            Ok(found) => Some(Good { at: now, found: found.clone() }),
            Err(_) => before.and_then(|seen| seen.good),
        };
        let seen = Seen {
            identity,
            key_fingerprint: key.fingerprint,
            client,
            looked: Some(now),
            answer: answer.clone(),
            good,
            refused,
        };
        self.put(seen.clone());
        match (answer, seen.trusted(now)) {
            (Err(problem), Some(good)) if matches!(problem.outlook, Outlook::Passing { .. }) => {
                tracing::warn!(uid = seen.identity.uid, problem = problem.message, "Fast.io cannot be asked");
                session(&seen, Ok(good.found.clone()))
            }
            (answer, _) => session(&seen, answer),
        }
    }

    /// What is true after a change that was made.
    pub(in crate::webhook) fn remember(&self, uid: &str, marked: Vec<Webhook>) {
        if let Some(mut seen) = self.get(uid) {
            let found = Some(Found::Marked(marked));
            seen.good = Some(Good { at: Instant::now(), found: found.clone() });
            seen.answer = Ok(found);
            seen.refused = None;
            self.put(seen);
        }
    }

    /// The key may not register or change webhooks.
    pub(in crate::webhook) fn refused(&self, uid: &str, why: String) {
        if let Some(seen) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(uid) {
            seen.refused = Some(Refused { at: Instant::now(), generation: seen.identity.generation, why });
        }
    }

    /// The next look is a fresh one. The client stays, for it knows the rate limit, and so does the last good answer.
    pub(in crate::webhook) fn look_anew(&self, uid: &str) {
        if let Some(seen) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(uid) {
            seen.looked = None;
        }
    }

    /// The object is gone.
    pub(in crate::webhook) fn forget(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    fn get(&self, uid: &str) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned()
    }

    fn put(&self, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(seen.identity.uid.clone(), seen);
    }
}

fn session(seen: &Seen, answer: Result<Option<Found>, Problem>) -> Result<Session, Problem> {
    let found = match (answer?, &seen.refused) {
        (Some(Found::Marked(marked)), Some(refused)) => {
            Some(Found::Forbidden { why: refused.why.clone(), marked: Some(marked) })
        }
        (found, _) => found,
    };
    let may_try = seen.refused.as_ref().is_none_or(|refused| {
        refused.at.elapsed() >= REFUSED || refused.generation != seen.identity.generation
    });
    Ok(Session { client: seen.client.clone(), uid: seen.identity.uid.clone(), found, may_try })
}

/// A key that was not used before is checked first, and then whether it can see the workspace: the errors of these calls
/// say what is wrong better than that of a list.
async fn ask(client: &Client, identity: &Identity, new_key: bool) -> Result<Option<Found>, RemoteError> {
    let workspace: WorkspaceId = match identity.workspace.parse() {
        Ok(workspace) => workspace,
        // Refused by validation, with its own message.
        Err(_) => return Ok(None),
    };
    if new_key {
        client.auth_check().await?;
    }
    if new_key || !identity.webhooks {
        client.workspace(&workspace).await?;
    }
    if !identity.webhooks {
        return Ok(None);
    }
    match list(client, &workspace, &identity.uid).await {
        Ok(marked) => Ok(Some(Found::Marked(marked))),
        Err(RemoteError::Unsupported) => Ok(Some(Found::Unsupported)),
        Err(error) if error.is_forbidden() => {
            Ok(Some(Found::Forbidden { why: error.to_string(), marked: None }))
        }
        Err(error) => Err(error),
    }
}

/// The webhooks of a workspace that carry an object's marker.
pub(in crate::webhook) async fn list(
    client: &Client,
    workspace: &WorkspaceId,
    uid: &str,
) -> Result<Vec<Webhook>, RemoteError> {
    let webhooks = supported(client.list_webhooks(workspace).await?)?;
    Ok(webhooks.into_iter().filter(|webhook| is_marked(&webhook.url, uid)).collect())
}

pub(super) fn supported<T>(answer: Webhooks<T>) -> Result<T, RemoteError> {
    answer.supported().ok_or(RemoteError::Unsupported)
}
