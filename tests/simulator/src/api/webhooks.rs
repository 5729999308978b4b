//! The webhook API as the guide describes it. The live service has none: without
//! `--webhooks guide` these routes do not exist.

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::path::WebhookPath;
use crate::{
    app::App,
    envelope::{ApiError, Reply},
    ids::{ProfileId, WebhookId},
    params::{Form, Params},
    routes::{Routes, Scope},
    store::{
        accounts::Workspace,
        format::Format,
        webhooks::{self, EventType, Webhook},
    },
    time::Instant,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (all, one) = ("/workspaces/{workspace}/webhooks/", "/workspaces/{workspace}/webhooks/{webhook}/");
    routes
        .post(all, "webhooks.create", Scope::Workspace, create)
        .get(all, "webhooks.list", Scope::Workspace, list)
        .get(one, "webhooks.details", Scope::Workspace, details)
        .post(one, "webhooks.update", Scope::Workspace, update)
        .delete(one, "webhooks.delete", Scope::Workspace, delete)
}

async fn create(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let webhook = Webhook {
        id: WebhookId::random(),
        workspace: workspace.id,
        url: url(form.required("url")?)?,
        events: event_types(form.required("events")?)?,
        secret: form.required("secret")?.to_owned(),
        enabled: true,
        created: Instant::now(),
        format: Format::default(),
        failures: 0,
    };
    app.store.write(|rows| webhooks::put(rows, &webhook))?;
    Ok(reply(&webhook))
}

async fn list(State(app): State<App>, Extension(workspace): Extension<Workspace>) -> Result<Reply, ApiError> {
    let found = app.store.read(|rows| webhooks::list(rows, Some(workspace.id.as_str())))?;
    Ok(Reply::new().with("webhooks", found.iter().map(view).collect::<Vec<_>>()))
}

async fn details(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    WebhookPath(id): WebhookPath,
) -> Result<Reply, ApiError> {
    app.store.read(|rows| find(rows, &workspace.id, &id)).map(|webhook| reply(&webhook))
}

async fn update(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    WebhookPath(id): WebhookPath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let mut webhook = find(rows, &workspace.id, &id)?;
        apply(&mut webhook, &form)?;
        webhooks::put(rows, &webhook)?;
        Ok(reply(&webhook))
    })
}

fn apply(webhook: &mut Webhook, form: &Params) -> Result<(), ApiError> {
    if let Some(text) = form.optional("url") {
        webhook.url = url(text)?;
    }
    if let Some(names) = form.optional("events") {
        webhook.events = event_types(names)?;
    }
    if let Some(secret) = form.optional("secret") {
        secret.clone_into(&mut webhook.secret);
    }
    if form.optional("enabled").is_some() {
        webhook.enabled = form.flag("enabled")?;
        webhook.failures = 0;
    }
    Ok(())
}

async fn delete(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    WebhookPath(id): WebhookPath,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        find(rows, &workspace.id, &id)?;
        webhooks::delete(rows, &id)?;
        Ok(Reply::new())
    })
}

fn find(rows: &Connection, workspace: &ProfileId, id: &WebhookId) -> Result<Webhook, ApiError> {
    webhooks::find(rows, workspace, id)?.ok_or_else(|| ApiError::not_found("webhook"))
}

fn url(text: &str) -> Result<String, ApiError> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
        _ => Err(ApiError::invalid("url", "must be an http or https URL", "url")),
    }
}

fn event_types(names: &str) -> Result<Vec<EventType>, ApiError> {
    names
        .split(',')
        .map(|name| name.trim().parse::<EventType>())
        .collect::<Result<_, _>>()
        .map_err(|error| ApiError::invalid("events", &error.to_string(), "comma-separated list"))
}

fn reply(webhook: &Webhook) -> Reply {
    Reply::new().with("webhook", view(webhook))
}

/// Without the secret, which is never shown again.
fn view(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "url": webhook.url,
        "events": webhook.events.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "enabled": webhook.enabled,
        "created": webhook.created,
    })
}
