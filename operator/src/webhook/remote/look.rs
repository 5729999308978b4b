//! Looking at Fast.io, not more often than needed: the API has a rate limit, and pods change often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastio::{ApiKeySource, Client, Webhook, Webhooks, WorkspaceId};

use super::super::observe::FoundKey;
use super::session::Session;
use super::{RemoteError, is_marked};
use crate::context::Context;
use crate::problem::{Explain, Outlook, Problem};

/// How long a look at Fast.io counts.
const FRESH: Duration = Duration::from_mins(1);
/// How long an answer counts while Fast.io cannot be asked: a short outage of the API does not make a webhook unready.
const TRUSTED: Duration = Duration::from_mins(5);

/// Which webhook, and for which state of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Uid of the object.
    pub uid: String,
    /// `spec.workspaceId`.
    pub workspace: String,
    /// Generation of the object: a changed spec is worth a fresh look.
    pub generation: Option<i64>,
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
    answer: Result<Vec<Webhook>, Problem>,
    /// The last good answer, and when it came.
    good: Option<(Instant, Vec<Webhook>)>,
}

impl Seen {
    fn is_fresh(&self, now: Instant) -> bool {
        let keep = match &self.answer {
            Ok(_) => FRESH,
            Err(problem) => match problem.outlook {
                Outlook::Passing { at_least } => at_least.unwrap_or_default(),
                Outlook::Waiting(_) | Outlook::NeedsAction(_) => FRESH,
            },
        };
        self.looked.is_some_and(|looked| now.duration_since(looked) < keep)
    }

    fn trusted(&self, now: Instant) -> Option<Vec<Webhook>> {
        let (at, webhooks) = self.good.as_ref()?;
        (now.duration_since(*at) < TRUSTED).then(|| webhooks.clone())
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
            None => Client::new(context.settings.fastio_base_url.clone(), ApiKeySource::Static(key.key))
                .map_err(|error| RemoteError::from(error).problem())?,
        };
        let answer = ask(context, &client, &identity, same_key.is_none()).await;
        let answer = answer.map_err(|error| error.problem_with(&key.secret));
        let good = match &answer {
            Ok(webhooks) => Some((now, webhooks.clone())),
            Err(_) => same_key.and_then(|seen| seen.good),
        };
        let seen = Seen {
            identity,
            key_fingerprint: key.fingerprint,
            client,
            looked: Some(now),
            answer: answer.clone(),
            good,
        };
        self.put(seen.clone());
        match (answer, seen.trusted(now)) {
            (Err(problem), Some(webhooks)) if matches!(problem.outlook, Outlook::Passing { .. }) => {
                tracing::warn!(uid = seen.identity.uid, problem = problem.message, "Fast.io cannot be asked");
                session(&seen, Ok(webhooks))
            }
            (answer, _) => session(&seen, answer),
        }
    }

    /// What is true after a change that was made.
    pub(in crate::webhook) fn remember(&self, uid: &str, marked: Vec<Webhook>) {
        if let Some(mut seen) = self.get(uid) {
            seen.good = Some((Instant::now(), marked.clone()));
            seen.answer = Ok(marked);
            self.put(seen);
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

fn session(seen: &Seen, answer: Result<Vec<Webhook>, Problem>) -> Result<Session, Problem> {
    Ok(Session { client: seen.client.clone(), uid: seen.identity.uid.clone(), marked: answer? })
}

/// A key that was not used before is checked first, and then whether it can see the workspace: the errors of these calls
/// say what is wrong better than that of a list.
async fn ask(
    context: &Context,
    client: &Client,
    identity: &Identity,
    new_key: bool,
) -> Result<Vec<Webhook>, RemoteError> {
    let workspace: WorkspaceId = match identity.workspace.parse() {
        Ok(workspace) => workspace,
        // Refused by validation, with its own message.
        Err(_) => return Ok(Vec::new()),
    };
    if new_key {
        counted(context, "auth.check", client.auth_check().await)?;
        counted(context, "workspace.details", client.workspace(&workspace).await)?;
    }
    list(context, client, &workspace, &identity.uid).await
}

/// The webhooks of a workspace that carry an object's marker.
pub(in crate::webhook) async fn list(
    context: &Context,
    client: &Client,
    workspace: &WorkspaceId,
    uid: &str,
) -> Result<Vec<Webhook>, RemoteError> {
    let webhooks = supported(counted(context, "webhooks.list", client.list_webhooks(workspace).await)?)?;
    Ok(webhooks.into_iter().filter(|webhook| is_marked(&webhook.url, uid)).collect())
}

pub(super) fn supported<T>(answer: Webhooks<T>) -> Result<T, RemoteError> {
    answer.supported().ok_or(RemoteError::Unsupported)
}

pub(super) fn counted<T>(
    context: &Context,
    operation: &'static str,
    result: fastio::Result<T>,
) -> fastio::Result<T> {
    context.metrics.fastio_call(operation, result.is_ok());
    result
}
