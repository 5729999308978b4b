//! The webhook API that the service had for some weeks of 2026 and removed. Without
//! `--webhooks subscriptions` these routes do not exist, as in the live service.
//!
//! Its delivery format was never published: subscriptions deliver as webhooks of the guide do, until the
//! control API gives them another format.

use std::net::IpAddr;

use axum::{Extension, extract::State};
use rusqlite::Connection;
use serde_json::{Value, json};
use url::{Host, Url};

use super::path::WebhookPath;
use crate::{
    app::App,
    envelope::{ApiError, Reply},
    ids::{WebhookId, random_base32},
    params::{Form, Params},
    routes::{Routes, Scope},
    store::{
        accounts::Workspace,
        format::Format,
        subscriptions::{self, Subscription},
        webhooks::{self, EventType, Webhook},
    },
    time::Instant,
};

/// Characters of a secret. The form of the real ones was never published.
const SECRET: usize = 48;
const KEY: &str = "outbound_webhook_subscription";

pub(super) fn routes(routes: Routes) -> Routes {
    let all = "/workspace/{workspace}/outbound_webhook_subscriptions/";
    let one = "/outbound_webhook_subscriptions/{webhook}/";
    routes
        .post(all, "subscriptions.create", Scope::Workspace, create)
        .get(all, "subscriptions.list", Scope::Workspace, list)
        .get(one, "subscriptions.details", Scope::Webhook, details)
        .patch(one, "subscriptions.update", Scope::Webhook, update)
        .delete(one, "subscriptions.delete", Scope::Webhook, delete)
        .post(&format!("{one}rotate_secret/"), "subscriptions.rotate", Scope::Webhook, rotate)
}

async fn create(
    State(app): State<App>,
    Extension(workspace): Extension<Workspace>,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    let url = target(form.required("target_url")?, app.settings.insecure_targets)?;
    form.required("event_type_subscriptions")?;
    let (id, now) = (WebhookId::random(), Instant::now());
    let subscription = Subscription {
        id: id.clone(),
        workspace: workspace.id.clone(),
        event_types: names(&form, "event_type_subscriptions")?.unwrap_or_default(),
        description: form.optional("description").map(str::to_owned),
        rate_limit_per_hour: form.number("rate_limit_per_hour", 0..=u32::MAX)?.unwrap_or(0),
        family_allowlist: names(&form, "family_allowlist")?.unwrap_or_default(),
        created: now,
    };
    let webhook = Webhook {
        id,
        workspace: workspace.id,
        url,
        // Which events it wants is said by the subscription.
        events: EventType::ALL.to_vec(),
        secret: random_base32("", SECRET),
        enabled: true,
        created: now,
        format: Format::default(),
        failures: 0,
    };
    app.store.write(|rows| {
        webhooks::put(rows, &webhook)?;
        subscriptions::put(rows, &subscription)?;
        Ok(Reply::new().with(KEY, with_secret(&subscription, &webhook)))
    })
}

/// An HTTPS URL, of a host that is not private. Names are not resolved, so only addresses and the
/// well-known local names are refused.
fn target(text: &str, insecure: bool) -> Result<String, ApiError> {
    let wrong = |message: &str| ApiError::invalid("target_url", message, "url");
    let url = Url::parse(text).map_err(|_| wrong("must be a URL"))?;
    let secure = url.scheme() == "https" || (insecure && url.scheme() == "http");
    if !secure {
        return Err(wrong("must be an https URL"));
    }
    let private = match url.host() {
        None => return Err(wrong("must have a host")),
        Some(Host::Domain(name)) => {
            name == "localhost" || [".local", ".internal"].iter().any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => is_private(address.into()),
        Some(Host::Ipv6(address)) => is_private(address.into()),
    };
    if private && !insecure {
        return Err(wrong("must not be a private or reserved address"));
    }
    Ok(text.to_owned())
}

/// Addresses that are not on the public internet (RFC 6890), as far as the standard library tells them.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let shared = matches!(v4.octets(), [100, 64..=127, ..]);
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || shared
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

/// A list of strings as JSON in a form.
fn names(form: &Params, name: &str) -> Result<Option<Vec<String>>, ApiError> {
    let Some(text) = form.optional(name) else { return Ok(None) };
    let list: Option<Vec<String>> = serde_json::from_str(text).ok();
    list.map(Some).ok_or_else(|| ApiError::invalid(name, "must be a JSON list of strings", "json"))
}

async fn list(State(app): State<App>, Extension(workspace): Extension<Workspace>) -> Result<Reply, ApiError> {
    app.store.read(|rows| {
        let mut found = Vec::new();
        for subscription in subscriptions::list(rows, &workspace.id)? {
            let webhook = webhooks::any(rows, &subscription.id)?;
            found.extend(webhook.map(|webhook| view(&subscription, &webhook)));
        }
        Ok(Reply::new().with("outbound_webhook_subscriptions", found))
    })
}

async fn details(State(app): State<App>, WebhookPath(id): WebhookPath) -> Result<Reply, ApiError> {
    app.store.read(|rows| {
        let (subscription, webhook) = find(rows, &id)?;
        Ok(Reply::new().with(KEY, view(&subscription, &webhook)))
    })
}

/// Neither target nor events can be changed.
async fn update(
    State(app): State<App>,
    WebhookPath(id): WebhookPath,
    Form(form): Form,
) -> Result<Reply, ApiError> {
    for fixed in ["target_url", "event_type_subscriptions"] {
        if form.optional(fixed).is_some() {
            return Err(ApiError::invalid(fixed, "cannot be changed", "none"));
        }
    }
    let rate = form.number("rate_limit_per_hour", 0..=u32::MAX)?;
    let families = names(&form, "family_allowlist")?;
    app.store.write(|rows| {
        let (mut subscription, mut webhook) = find(rows, &id)?;
        if form.optional("enabled").is_some() {
            webhook.enabled = form.flag("enabled")?;
            webhook.failures = 0;
        }
        if let Some(description) = form.optional("description") {
            subscription.description = Some(description.to_owned());
        }
        subscription.rate_limit_per_hour = rate.unwrap_or(subscription.rate_limit_per_hour);
        subscription.family_allowlist = families.unwrap_or(subscription.family_allowlist);
        webhooks::put(rows, &webhook)?;
        subscriptions::put(rows, &subscription)?;
        Ok(Reply::new().with(KEY, view(&subscription, &webhook)))
    })
}

async fn delete(State(app): State<App>, WebhookPath(id): WebhookPath) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        find(rows, &id)?;
        subscriptions::delete(rows, &id)?;
        webhooks::delete(rows, &id)?;
        Ok(Reply::new())
    })
}

/// The old secret ends at once.
async fn rotate(
    State(app): State<App>,
    WebhookPath(id): WebhookPath,
    Form(_): Form,
) -> Result<Reply, ApiError> {
    app.store.write(|rows| {
        let (subscription, mut webhook) = find(rows, &id)?;
        webhook.secret = random_base32("", SECRET);
        webhooks::put(rows, &webhook)?;
        Ok(Reply::new().with(KEY, with_secret(&subscription, &webhook)))
    })
}

fn find(rows: &Connection, id: &WebhookId) -> Result<(Subscription, Webhook), ApiError> {
    let subscription = subscriptions::find(rows, id)?;
    let webhook = webhooks::any(rows, id)?;
    subscription.zip(webhook).ok_or_else(|| ApiError::not_found("webhook subscription"))
}

/// Shown when a secret is made, and never again.
fn with_secret(subscription: &Subscription, webhook: &Webhook) -> Value {
    let mut shown = view(subscription, webhook);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("secret".to_owned(), webhook.secret.clone().into());
    }
    shown
}

fn view(subscription: &Subscription, webhook: &Webhook) -> Value {
    json!({
        "id": subscription.id,
        "workspace_id": subscription.workspace,
        "target_url": webhook.url,
        "event_type_subscriptions": subscription.event_types,
        "description": subscription.description,
        "rate_limit_per_hour": subscription.rate_limit_per_hour,
        "family_allowlist": subscription.family_allowlist,
        "enabled": webhook.enabled,
        "created": subscription.created,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_public_and_encrypted() {
        assert!(target("https://hooks.example.com/in", false).is_ok());
        assert!(target("https://93.184.216.34/", false).is_ok());
        for refused in [
            "http://hooks.example.com/",
            "https://localhost/",
            "https://10.0.0.1/",
            "https://127.0.0.1:8443/",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:192.168.0.1]/",
            "ftp://example.com/",
            "nonsense",
        ] {
            assert!(target(refused, false).is_err(), "{refused}");
        }
        assert!(target("http://127.0.0.1:9/", true).is_ok());
        assert!(target("ftp://example.com/", true).is_err());
    }
}
