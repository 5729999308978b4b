//! Organisations and workspaces.

use axum::{Extension, extract::State};
use serde_json::{Value, json};

use super::page::Offset;
use crate::{
    app::App,
    envelope::{ApiError, Reply},
    params::Query,
    routes::{Routes, Scope},
    store::accounts::{self, Org, Workspace},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/orgs/list/", "orgs.list", Scope::Account, list_orgs)
        .get("/org/{org}/list/workspaces/", "orgs.workspaces", Scope::Org, list_of_org)
        .get("/workspaces/all/", "workspaces.all", Scope::Account, list_all)
        .get("/workspace/{workspace}/details/", "workspaces.details", Scope::Workspace, details)
}

async fn list_orgs(State(app): State<App>, Query(query): Query) -> Result<Reply, ApiError> {
    let orgs = app.store.read(accounts::orgs)?;
    let (orgs, pagination) = Offset::read(&query)?.cut(orgs);
    let orgs: Vec<Value> = orgs.iter().map(org_view).collect();
    Ok(Reply::new().with("orgs", orgs).with("pagination", pagination))
}

async fn list_of_org(
    State(app): State<App>,
    Extension(org): Extension<Org>,
    Query(query): Query,
) -> Result<Reply, ApiError> {
    let workspaces = app.store.read(|rows| accounts::workspaces(rows, Some(&org.id)))?;
    page(workspaces, Offset::read(&query)?)
}

async fn list_all(State(app): State<App>, Query(query): Query) -> Result<Reply, ApiError> {
    let workspaces = app.store.read(|rows| accounts::workspaces(rows, None))?;
    page(workspaces, Offset::read(&query)?)
}

#[allow(clippy::unnecessary_wraps, reason = "both callers return it as it is")]
fn page(workspaces: Vec<Workspace>, offset: Offset) -> Result<Reply, ApiError> {
    let (workspaces, pagination) = offset.cut(workspaces);
    let workspaces: Vec<Value> = workspaces.iter().map(workspace_view).collect();
    Ok(Reply::new().with("workspaces", workspaces).with("pagination", pagination))
}

async fn details(Extension(workspace): Extension<Workspace>) -> Reply {
    Reply::new().with("workspace", workspace_view(&workspace))
}

fn org_view(org: &Org) -> Value {
    json!({
        "id": org.id,
        "name": org.name,
        "domain": org.domain,
        "member": true,
        "created": org.created,
    })
}

fn workspace_view(workspace: &Workspace) -> Value {
    json!({
        "id": workspace.id,
        "name": workspace.name,
        "folder_name": workspace.folder_name,
        "org_id": workspace.org,
        "org_domain": workspace.org_domain,
        "user_status": "joined",
        "archived": false,
        "intelligence": false,
        "created": workspace.created,
        "updated": workspace.created,
    })
}
