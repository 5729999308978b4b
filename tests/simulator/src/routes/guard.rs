//! What happens to every call before and after its handler.

use std::time::Duration;

use axum::{
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::header,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use rusqlite::Connection;
use tokio::time::timeout;

use super::{Called, Caller, IN_QUERY, Operation, Scope, finish, output};
use crate::{
    api::upload,
    app::App,
    connection::Line,
    envelope::ApiError,
    faults::wire,
    ids::{CommentId, ProfileId, UploadId, WebhookId},
    limits::Allowance,
    params::Params,
    store::{
        accounts::{self, Org, Workspace},
        comments, events, uploads, webhooks,
    },
};

/// Longest time that the body of a refused call is read.
const DRAIN: Duration = Duration::from_secs(30);

/// Everything that happens to a call around its handler.
pub(super) async fn guard(
    State((app, operation)): State<(App, Operation)>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let line = Line::of(&request);
    let mut entry = Entry { allowance: app.limits.untouched(), about: None };
    let response = match entry.enter(&app, operation, path, &mut request).await {
        Ok(()) => {
            let workspace = entry.about.as_ref().map(ProfileId::as_str);
            next.run(wire::incoming(&app, operation.name, workspace, request)).await
        }
        Err(error) => {
            drain(request).await;
            error.into_response()
        }
    };
    let named = response.extensions().get::<Called>().map(|called| called.0.clone());
    let workspace = named.or(entry.about);
    let workspace = workspace.as_ref().map(ProfileId::as_str);
    app.calls.count(workspace, operation.name, operation.method, response.status());
    let form = app.faults.envelope(operation.name, workspace);
    let resource = format!("{} {}", operation.method, operation.name);
    let response = finish(response, &resource, entry.allowance, form);
    wire::outgoing(&app, operation.name, workspace, line, response)
}

/// Reads the body of a refused call, so that the client can read the answer instead of seeing its
/// connection reset.
pub(crate) async fn drain(request: Request) {
    let reading = async {
        let mut body = request.into_body().into_data_stream();
        while let Some(Ok(_)) = body.next().await {}
    };
    if timeout(DRAIN, reading).await.is_err() {
        tracing::debug!("the body of a refused call took too long");
    }
}

/// What the guard has learned about a call.
struct Entry {
    allowance: Allowance,
    /// The workspace, share or organisation that the call is about: what faults and counts go by.
    about: Option<ProfileId>,
}

impl Entry {
    async fn enter(
        &mut self,
        app: &App,
        operation: Operation,
        path: Result<RawPathParams, RawPathParamsRejection>,
        request: &mut Request,
    ) -> Result<(), ApiError> {
        let query = Params::parse(request.uri().query().unwrap_or_default().as_bytes());
        if !(operation.token && query.optional("token").is_some()) {
            let key = bearer(request)?;
            let (user, rights) = app
                .store
                .read(|rows| accounts::user_of_key(rows, key))?
                .ok_or_else(|| ApiError::unauthorized("The API key is not known"))?;
            let limited = app.limits.take(key, operation.name);
            self.allowance = limited.unwrap_or_else(|used_up| used_up);
            limited.map_err(Allowance::refusal)?;
            request.extensions_mut().insert(Caller { user, rights });
        }
        let path = path.map_err(|_| ApiError::invalid("path", "is not valid UTF-8", "string"))?;
        match self.resolve(app, operation.scope, &path, &query)? {
            Named::Org(org) => drop(request.extensions_mut().insert(org)),
            Named::Workspace(workspace) => drop(request.extensions_mut().insert(workspace)),
            Named::Nothing => {}
        }
        output::check(operation.name, &query)?;
        if operation.scope == Scope::Body {
            return Ok(());
        }
        let workspace = self.about.as_ref().map(ProfileId::as_str);
        app.faults.admit(operation.name, workspace).await?;
        if operation.scope == Scope::Upload && app.faults.loses_session(operation.name, workspace) {
            let named = path.iter().find(|(name, _)| *name == "upload");
            if let Some(Ok(id)) = named.map(|(_, id)| UploadId::parse(id)) {
                upload::forget(app, &id).await?;
            }
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        app: &App,
        scope: Scope,
        path: &RawPathParams,
        query: &Params,
    ) -> Result<Named, ApiError> {
        let named = |name: &str| {
            path.iter().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap_or_default()
        };
        app.store.read(|rows| match scope {
            Scope::Account | Scope::Body => Ok(Named::Nothing),
            Scope::Org => {
                let org = accounts::find_org(rows, named("org"))?
                    .ok_or_else(|| ApiError::not_found("organization"))?;
                self.about = Some(org.id.clone());
                Ok(Named::Org(org))
            }
            Scope::Workspace => {
                let workspace = accounts::find_workspace(rows, named("workspace"))?
                    .ok_or_else(|| ApiError::not_found("workspace"))?;
                self.about = Some(workspace.id.clone());
                Ok(Named::Workspace(workspace))
            }
            Scope::Share => {
                let share = accounts::find_share(rows, named("workspace"))?
                    .ok_or_else(|| ApiError::not_found("share"))?;
                self.about = Some(share.id.clone());
                Ok(Named::Workspace(share))
            }
            Scope::Upload => {
                if let Ok(id) = UploadId::parse(named("upload")) {
                    self.about = uploads::find(rows, &id)?.and_then(|session| session.workspace);
                }
                Ok(Named::Nothing)
            }
            Scope::Comment => {
                if let Ok(id) = CommentId::parse(named("comment")) {
                    self.about = comments::find(rows, &id)?.map(|comment| comment.workspace);
                }
                Ok(Named::Nothing)
            }
            Scope::Webhook => {
                if let Ok(id) = WebhookId::parse(named("webhook")) {
                    self.about = webhooks::any(rows, &id)?.map(|webhook| webhook.workspace);
                }
                Ok(Named::Nothing)
            }
            Scope::Event => {
                self.about = events::find(rows, named("event"))?.map(|event| event.workspace);
                Ok(Named::Nothing)
            }
            Scope::Entity => {
                self.about = profile_or_org(rows, named("entity"))?;
                Ok(Named::Nothing)
            }
            Scope::Query => {
                if let Some(id) = IN_QUERY.iter().find_map(|name| query.optional(name)) {
                    self.about = profile_or_org(rows, id)?;
                }
                Ok(Named::Nothing)
            }
        })
    }
}

fn profile_or_org(rows: &Connection, id: &str) -> rusqlite::Result<Option<ProfileId>> {
    match accounts::find_profile(rows, id)? {
        Some(profile) => Ok(Some(profile.id)),
        None => Ok(accounts::find_org(rows, id)?.map(|org| org.id)),
    }
}

/// What a path names.
enum Named {
    Nothing,
    Org(Org),
    Workspace(Workspace),
}

/// Header `Authorization: Bearer X`.
fn bearer(request: &Request) -> Result<&str, ApiError> {
    let header = request
        .headers()
        .get(header::AUTHORIZATION)
        .ok_or_else(|| ApiError::unauthorized("The call needs an Authorization header"))?;
    header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .ok_or_else(|| ApiError::unauthorized("The Authorization header must be `Bearer KEY`"))
}
