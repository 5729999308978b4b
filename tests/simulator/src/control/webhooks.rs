//! Endpoints that no API registers: the live service has no registration either, and each of its
//! articles describes another form of delivery.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::{HeaderName, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Of, Refusal};
use crate::{
    app::App,
    ids::WebhookId,
    store::{
        accounts,
        format::{EventNames, Format, PayloadStyle, Scheme, SecretEncoding},
        webhooks::{self, EventType, Webhook},
    },
    time::Instant,
};

pub(super) async fn list(State(app): State<App>, Query(of): Query<Of>) -> Result<Json<Value>, Refusal> {
    let found = app.store.read(|rows| webhooks::list(rows, of.workspace.as_deref()))?;
    Ok(Json(json!({ "webhooks": found.iter().map(view).collect::<Vec<_>>() })))
}

/// With the secret, which the API itself never shows: a test signs with it.
fn view(webhook: &Webhook) -> Value {
    let own = json!({
        "id": webhook.id,
        "workspace_id": webhook.workspace,
        "url": webhook.url,
        "events": webhook.events.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "secret": webhook.secret,
        "enabled": webhook.enabled,
        "created": webhook.created,
        "failures": webhook.failures,
        "header": webhook.format.header(),
        "timestamp_header": webhook.format.timestamp_header(),
        "event_names": webhook.format.event_names(),
    });
    let mut view = Map::new();
    for part in [serde_json::to_value(&webhook.format).unwrap_or_default(), own] {
        view.extend(part.as_object().cloned().unwrap_or_default());
    }
    Value::Object(view)
}

/// What can be said about an endpoint. Everything else stays as it is, or as the guide has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    workspace: Option<String>,
    url: Option<String>,
    secret: Option<String>,
    events: Option<Vec<String>>,
    enabled: Option<bool>,
    scheme: Option<Scheme>,
    header: Option<String>,
    timestamp_header: Option<String>,
    secret_encoding: Option<SecretEncoding>,
    payload: Option<PayloadStyle>,
    event_names: Option<EventNames>,
    suspend_after: Option<u32>,
}

pub(super) async fn create(
    State(app): State<App>,
    fields: Result<Json<Fields>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(mut fields) = fields?;
    let workspace = fields.workspace.take().ok_or_else(|| Refusal::bad("`workspace` is missing"))?;
    if fields.url.is_none() || fields.secret.is_none() {
        return Err(Refusal::bad("`url` and `secret` are needed"));
    }
    let webhook = app.store.write(|rows| {
        let workspace =
            accounts::find_workspace(rows, &workspace)?.ok_or_else(|| Refusal::not_found("workspace"))?;
        let mut webhook = Webhook {
            id: WebhookId::random(),
            workspace: workspace.id,
            url: String::new(),
            events: EventType::ALL.to_vec(),
            secret: String::new(),
            enabled: true,
            created: Instant::now(),
            format: Format::default(),
            failures: 0,
        };
        fields.apply(&mut webhook)?;
        webhooks::put(rows, &webhook)?;
        Ok::<_, Refusal>(webhook)
    })?;
    Ok((StatusCode::CREATED, Json(view(&webhook))).into_response())
}

/// Changes an endpoint. An enabled one has failed no more.
pub(super) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    fields: Result<Json<Fields>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let Json(fields) = fields?;
    if fields.workspace.is_some() {
        return Err(Refusal::bad("`workspace` cannot be changed"));
    }
    let id = parse(&id)?;
    let webhook = app.store.write(|rows| {
        let mut webhook = webhooks::any(rows, &id)?.ok_or_else(|| Refusal::not_found("webhook"))?;
        fields.apply(&mut webhook)?;
        webhooks::put(rows, &webhook)?;
        Ok::<_, Refusal>(webhook)
    })?;
    Ok(Json(view(&webhook)))
}

pub(super) async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let id = parse(&id)?;
    app.store.write(|rows| {
        webhooks::any(rows, &id)?.ok_or_else(|| Refusal::not_found("webhook"))?;
        Ok::<_, Refusal>(webhooks::delete(rows, &id)?)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(id: &str) -> Result<WebhookId, Refusal> {
    WebhookId::parse(id).map_err(|error| Refusal::bad(error.to_string()))
}

impl Fields {
    fn apply(self, webhook: &mut Webhook) -> Result<(), Refusal> {
        if let Some(url) = self.url {
            webhook.url = http_url(url)?;
        }
        set(&mut webhook.secret, self.secret);
        if let Some(names) = self.events {
            webhook.events =
                names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(
                    |error: webhooks::UnknownEventType| Refusal::bad(format!("`events`: {error}")),
                )?;
        }
        if let Some(enabled) = self.enabled {
            webhook.enabled = enabled;
            webhook.failures = 0;
        }
        let format = &mut webhook.format;
        set(&mut format.scheme, self.scheme);
        set(&mut format.secret_encoding, self.secret_encoding);
        set(&mut format.payload, self.payload);
        format.suspend_after = self.suspend_after.or(format.suspend_after);
        format.event_names = self.event_names.or(format.event_names);
        format.header = header("header", self.header)?.or(format.header.take());
        format.timestamp_header =
            header("timestamp_header", self.timestamp_header)?.or(format.timestamp_header.take());
        if webhook.secret.is_empty() {
            return Err(Refusal::bad("`secret` is empty"));
        }
        format.secret_encoding.key(&webhook.secret).map_err(|error| Refusal::bad(error.to_string()))?;
        Ok(())
    }
}

fn set<T>(old: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *old = new;
    }
}

fn http_url(text: String) -> Result<String, Refusal> {
    match url::Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text),
        _ => Err(Refusal::bad("`url` must be an http or https URL")),
    }
}

fn header(field: &str, name: Option<String>) -> Result<Option<String>, Refusal> {
    match name {
        Some(name) if HeaderName::try_from(&name).is_err() => {
            Err(Refusal::bad(format!("`{field}` is not the name of a header")))
        }
        name => Ok(name),
    }
}
