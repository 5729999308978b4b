//! How a call enters: every route is an [`Operation`] with a guard around its handler that
//! authenticates, limits, resolves what the path names, applies faults and counts.

mod guard;
pub(crate) mod output;

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    http::{HeaderValue, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter},
};

pub(crate) use guard::drain;

use crate::{
    app::App,
    envelope::{self, ApiError, Form},
    ids::{ProfileId, random_base32},
    limits::Allowance,
    store::accounts::Rights,
};

/// Where the guard finds the workspace that a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The call is about no single workspace.
    Account,
    /// `{org}` in the path.
    Org,
    /// `{workspace}` in the path.
    Workspace,
    /// `{workspace}` in the path, which names a share: both hold files in the same way.
    Share,
    /// The session `{upload}` in the path.
    Upload,
    /// The comment `{comment}` in the path.
    Comment,
    /// The webhook `{webhook}` in the path.
    Webhook,
    /// The event `{event}` in the path.
    Event,
    /// `{entity}` in the path: a workspace, a share or an organisation, or a user, who is none of them.
    Entity,
    /// One of [`IN_QUERY`] in the query.
    Query,
    /// The body names it: the handler admits the call itself, see [`Called`].
    Body,
}

/// Parameters that say what a call with [`Scope::Query`] is about, the closest first.
const IN_QUERY: [&str; 4] = ["workspace_id", "share_id", "instance_id", "org_id"];

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

/// An operation and its path, as the router has it.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) path: String,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: ProfileId,
    pub(crate) rights: Rights,
}

/// Set on a response by handlers that find out the workspace themselves.
#[derive(Debug, Clone)]
pub(crate) struct Called(pub(crate) ProfileId);

/// Collects the routes of one area, and a list of them for the control API.
pub(crate) struct Routes {
    app: App,
    pub(crate) router: Router<App>,
    pub(crate) list: Vec<Route>,
}

impl Routes {
    pub(crate) fn new(app: App) -> Self {
        Self { app, router: Router::new(), list: Vec::new() }
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

    pub(crate) fn patch<T: 'static>(
        self,
        path: &str,
        name: &'static str,
        scope: Scope,
        to: impl Handler<T, App>,
    ) -> Self {
        self.add(path, Operation { name, method: "PATCH", scope, token: false }, MethodFilter::PATCH, to)
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
            .layer(middleware::from_fn_with_state((self.app.clone(), operation), guard::guard));
        self.router = self.router.route(path, guarded);
        self.list.push(Route { operation, path: path.to_owned() });
        self
    }
}

/// Puts the body and the headers that every answer has on a response.
pub(crate) fn finish(response: Response, resource: &str, allowance: Allowance, form: Form) -> Response {
    let mut response = envelope::render(response, resource, form);
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
    let form = app.faults.envelope("unknown", None);
    finish(ApiError::unknown_route().into_response(), &resource, app.limits.untouched(), form)
}
