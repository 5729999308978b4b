//! How a call enters: every route is an [`Operation`] with a guard around its handler that
//! authenticates, limits, resolves what the path names, applies faults and counts.

use std::time::Duration;

use axum::{
    Router,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    handler::Handler,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};
use futures::StreamExt as _;
use tokio::time::timeout;

use crate::{
    app::App,
    envelope::{self, ApiError},
    ids::{CommentId, ProfileId, UploadId, random_base32},
    limits::Allowance,
    params::Params,
    store::{
        accounts::{self, Org, Workspace},
        comments, uploads,
    },
};

/// Longest time that the body of a refused call is read.
const DRAIN: Duration = Duration::from_secs(30);

/// Where the guard finds the workspace that a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The call is about no single workspace.
    Account,
    /// `{org}` in the path.
    Org,
    /// `{workspace}` in the path.
    Workspace,
    /// The session `{upload}` in the path.
    Upload,
    /// The comment `{comment}` in the path.
    Comment,
    /// The body names it: the handler admits the call itself, see [`Called`].
    Body,
}

/// One call of the API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// Name in faults and counts, such as `storage.details`.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    scope: Scope,
    /// A `token` in the query takes the place of the API key.
    token: bool,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: ProfileId,
}

/// Set on a response by handlers that find out the workspace themselves.
#[derive(Debug, Clone)]
pub(crate) struct Called(pub(crate) ProfileId);

/// Collects the routes of one area, and the operations for the control API.
pub(crate) struct Routes {
    app: App,
    pub(crate) router: Router<App>,
    pub(crate) operations: Vec<Operation>,
}

impl Routes {
    pub(crate) fn new(app: App) -> Self {
        Self { app, router: Router::new(), operations: Vec::new() }
    }

    pub(crate) fn get<T: 'static>(
        self,
        path: &str,
        name: &'static str,
        scope: Scope,
        to: impl Handler<T, App>,
    ) -> Self {
        self.add(path, Operation { name, method: "GET", scope, token: false }, MethodFilter::GET, to)
    }

    pub(crate) fn post<T: 'static>(
        self,
        path: &str,
        name: &'static str,
        scope: Scope,
        to: impl Handler<T, App>,
    ) -> Self {
        self.add(path, Operation { name, method: "POST", scope, token: false }, MethodFilter::POST, to)
    }

    pub(crate) fn delete<T: 'static>(
        self,
        path: &str,
        name: &'static str,
        scope: Scope,
        to: impl Handler<T, App>,
    ) -> Self {
        self.add(path, Operation { name, method: "DELETE", scope, token: false }, MethodFilter::DELETE, to)
    }

    /// A `GET` that a token in the query opens without an API key.
    pub(crate) fn get_by_token<T: 'static>(
        self,
        path: &str,
        name: &'static str,
        scope: Scope,
        to: impl Handler<T, App>,
    ) -> Self {
        self.add(path, Operation { name, method: "GET", scope, token: true }, MethodFilter::GET, to)
    }

    fn add<T: 'static>(
        mut self,
        path: &str,
        operation: Operation,
        filter: MethodFilter,
        to: impl Handler<T, App>,
    ) -> Self {
        let guarded = MethodRouter::new()
            .on(filter, to)
            .layer(middleware::from_fn_with_state((self.app.clone(), operation), guard));
        self.router = self.router.route(path, guarded);
        self.operations.push(operation);
        self
    }
}

async fn guard(
    State((app, operation)): State<(App, Operation)>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut entry = Entry { allowance: app.limits.untouched(), workspace: None };
    let response = match entry.enter(&app, operation, path, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => {
            drain(request).await;
            error.into_response()
        }
    };
    let named = response.extensions().get::<Called>().map(|called| called.0.clone());
    let workspace = named.or(entry.workspace);
    app.calls.count(
        workspace.as_ref().map(ProfileId::as_str),
        operation.name,
        operation.method,
        response.status(),
    );
    finish(response, &format!("{} {}", operation.method, operation.name), entry.allowance)
}

/// Reads the body of a refused call, so that the client can read the answer instead of seeing its
/// connection reset.
async fn drain(request: Request) {
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
    workspace: Option<ProfileId>,
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
            let user = app
                .store
                .read(|rows| accounts::user_of_key(rows, key))?
                .ok_or_else(|| ApiError::unauthorized("The API key is not known"))?;
            let limited = app.limits.take(key, operation.name);
            self.allowance = limited.unwrap_or_else(|used_up| used_up);
            limited.map_err(Allowance::refusal)?;
            request.extensions_mut().insert(Caller { user });
        }
        let path = path.map_err(|_| ApiError::invalid("path", "is not valid UTF-8", "string"))?;
        match self.resolve(app, operation.scope, &path)? {
            Named::Org(org) => drop(request.extensions_mut().insert(org)),
            Named::Workspace(workspace) => drop(request.extensions_mut().insert(workspace)),
            Named::Nothing => {}
        }
        check_output(&query)?;
        if operation.scope == Scope::Body {
            return Ok(());
        }
        app.faults.admit(operation.name, self.workspace.as_ref().map(ProfileId::as_str)).await
    }

    fn resolve(&mut self, app: &App, scope: Scope, path: &RawPathParams) -> Result<Named, ApiError> {
        let named = |name: &str| {
            path.iter().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap_or_default()
        };
        app.store.read(|rows| match scope {
            Scope::Account | Scope::Body => Ok(Named::Nothing),
            Scope::Org => {
                let org = accounts::find_org(rows, named("org"))?;
                Ok(Named::Org(org.ok_or_else(|| ApiError::not_found("organization"))?))
            }
            Scope::Workspace => {
                let workspace = accounts::find_workspace(rows, named("workspace"))?
                    .ok_or_else(|| ApiError::not_found("workspace"))?;
                self.workspace = Some(workspace.id.clone());
                Ok(Named::Workspace(workspace))
            }
            Scope::Upload => {
                if let Ok(id) = UploadId::parse(named("upload")) {
                    self.workspace = uploads::find(rows, &id)?.map(|session| session.workspace);
                }
                Ok(Named::Nothing)
            }
            Scope::Comment => {
                if let Ok(id) = CommentId::parse(named("comment")) {
                    self.workspace = comments::find(rows, &id)?.map(|comment| comment.workspace);
                }
                Ok(Named::Nothing)
            }
        })
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

/// `output` selects one level of detail; two of them at once are refused.
fn check_output(query: &Params) -> Result<(), ApiError> {
    let levels = query
        .optional("output")
        .unwrap_or_default()
        .split(',')
        .filter(|level| matches!(*level, "terse" | "standard" | "full"))
        .count();
    if levels > 1 {
        return Err(ApiError::invalid("output", "must name one level of detail", "string"));
    }
    Ok(())
}

/// Puts the body and the headers that every answer has on a response.
pub(crate) fn finish(response: Response, resource: &str, allowance: Allowance) -> Response {
    let mut response = envelope::render(response, resource);
    let headers = response.headers_mut();
    if !headers.contains_key("x-ve-limit-max") {
        allowance.write(headers);
    }
    if let Ok(id) = HeaderValue::from_str(&random_base32("", 20)) {
        headers.insert("x-ve-reqid", id);
    }
    response
}

/// The answer to unknown routes and to methods that a route does not have. (That the service treats
/// the second like the first is an assumption.)
pub(crate) async fn unknown(State(app): State<App>, request: Request) -> Response {
    let resource = format!("{} {}", request.method(), request.uri().path());
    app.calls.count(None, "unknown", request.method().as_str(), StatusCode::NOT_FOUND);
    finish(ApiError::unknown_route().into_response(), &resource, app.limits.untouched())
}
