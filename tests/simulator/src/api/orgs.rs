//! Organisations, workspaces and shares.

use axum::{Extension, extract::State};
use serde_json::{Value, json};

use super::page::Offset;
use crate::{
    app::App,
    envelope::{ApiError, Reply},
    params::{Params, Query},
    routes::{Routes, Scope},
    store::{
        accounts::{self, Org, Workspace},
        versions,
    },
};

/// Storage of an organisation in the Business plan: 5 TB.
const STORAGE_MAX: i64 = 5_000_000_000_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/orgs/list/", "orgs.list", Scope::Account, list_orgs)
        .get("/orgs/list/external/", "orgs.external", Scope::Account, list_external)
        .get("/org/{org}/list/workspaces/", "orgs.workspaces", Scope::Org, list_of_org)
        .get("/workspaces/all/", "workspaces.all", Scope::Account, list_all)
        .get("/workspaces/available/", "workspaces.available", Scope::Account, available)
        .get("/workspace/{workspace}/details/", "workspaces.details", Scope::Workspace, details)
        .get("/workspace/{workspace}/limits/", "workspaces.limits", Scope::Workspace, limits)
        .get("/workspace/{workspace}/jobs/status/", "workspaces.jobs", Scope::Workspace, jobs)
        .get("/share/{workspace}/details/", "shares.details", Scope::Share, share)
}

/// Those that the caller is a member of.
async fn list_orgs(State(app): State<App>, Query(query): Query) -> Result<Reply, ApiError> {
    orgs(&app, &query, false)
}

/// Those of others who share something with the caller.
async fn list_external(State(app): State<App>, Query(query): Query) -> Result<Reply, ApiError> {
    orgs(&app, &query, true)
}

fn orgs(app: &App, query: &Params, external: bool) -> Result<Reply, ApiError> {
    let orgs = app.store.read(|rows| accounts::orgs(rows, external))?;
    let (orgs, pagination) = Offset::read(query)?.cut(orgs);
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

#[allow(clippy::unnecessary_wraps, reason = "all callers return it as it is")]
fn page(workspaces: Vec<Workspace>, offset: Offset) -> Result<Reply, ApiError> {
    let (workspaces, pagination) = offset.cut(workspaces);
    let workspaces: Vec<Value> = workspaces.iter().map(workspace_view).collect();
    Ok(Reply::new().with("workspaces", workspaces).with("pagination", pagination))
}

/// Workspaces that the caller could join. Everybody is in all of them here.
async fn available(Query(query): Query) -> Result<Reply, ApiError> {
    page(Vec::new(), Offset::read(&query)?)
}

/// What is stored, with all versions and with the trash, and the numbers of the Business plan.
async fn limits(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
) -> Result<Reply, ApiError> {
    let used = app.store.read(|rows| versions::stored_bytes(rows, &workspace.id))?;
    Ok(Reply::new().with("limits", json!({ "storage": { "used": used, "max": STORAGE_MAX } })))
}

/// Background jobs. None of them is simulated, so none is ever under way.
async fn jobs() -> Reply {
    let jobs = json!({
        "intelligence": null,
        "summarize": null,
        "upsert_file": null,
        "metadata_extract": [],
        "template_match": [],
    });
    Reply::new().with("jobs", jobs)
}

async fn share(Extension(share): Extension<Workspace>) -> Reply {
    Reply::new().with(
        "share",
        json!({
            "id": share.id,
            "title": share.name,
            "custom_name": share.folder_name,
            "org_id": share.org,
            "org_domain": share.org_domain,
            "created": share.created,
            "updated": share.created,
        }),
    )
}

async fn details(Extension(workspace): Extension<Workspace>) -> Reply {
    Reply::new().with("workspace", workspace_view(&workspace))
}

fn org_view(org: &Org) -> Value {
    json!({
        "id": org.id,
        "name": org.name,
        "domain": org.domain,
        "member": !org.external,
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
