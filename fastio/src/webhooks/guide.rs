//! Webhooks of a workspace in the guide's dialect. Source: the article "How to Integrate Fast.io Webhooks with
//! Temporal.io".

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use super::Webhooks;
use crate::envelope::fields;
use crate::error::Error;
use crate::signature::SigningSecret;
use crate::{Client, Result, WebhookId, WorkspaceId};

/// Kinds of events that a webhook reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// A new file, or a new version of one by upload.
    Upload,
    /// A changed file.
    Modify,
    /// A moved file.
    Move,
    /// A deleted file.
    Delete,
    /// A file that was read.
    Access,
    /// A kind that this client does not know.
    Other(String),
}

impl WebhookEvent {
    /// The service's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Upload => "upload",
            Self::Modify => "modify",
            Self::Move => "move",
            Self::Delete => "delete",
            Self::Access => "access",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for WebhookEvent {
    fn from(word: &str) -> Self {
        match word {
            "upload" => Self::Upload,
            "modify" => Self::Modify,
            "move" => Self::Move,
            "delete" => Self::Delete,
            "access" => Self::Access,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl FromStr for WebhookEvent {
    type Err = Infallible;

    fn from_str(word: &str) -> std::result::Result<Self, Infallible> {
        Ok(Self::from(word))
    }
}

/// A registered webhook. The service never shows its secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where deliveries go, as the service keeps it.
    #[serde(deserialize_with = "fields::text")]
    pub url: String,
    /// What it reports.
    #[serde(default, deserialize_with = "events")]
    pub events: BTreeSet<WebhookEvent>,
    /// Deliveries are made.
    #[serde(default = "yes", deserialize_with = "fields::flag")]
    pub enabled: bool,
    /// When it was registered.
    #[serde(default, deserialize_with = "fields::opt_time")]
    pub created: Option<jiff::Timestamp>,
}

/// A webhook to register.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where deliveries go.
    pub url: Url,
    /// What it reports; not empty.
    pub events: BTreeSet<WebhookEvent>,
    /// What deliveries are signed with. Sent as text, so it must be UTF-8.
    pub secret: SigningSecret,
}

/// What to change of a webhook; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Where deliveries go.
    pub url: Option<Url>,
    /// What it reports; not empty.
    pub events: Option<BTreeSet<WebhookEvent>>,
    /// What deliveries are signed with from now on.
    pub secret: Option<SigningSecret>,
    /// Whether deliveries are made.
    pub enabled: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct One {
    webhook: Webhook,
}

#[derive(Deserialize)]
pub(crate) struct All {
    #[serde(default, deserialize_with = "fields::or_default")]
    webhooks: Vec<Webhook>,
}

impl Client {
    /// Every webhook of a workspace: `GET /workspaces/{ws}/webhooks/`.
    pub async fn list_webhooks(&self, ws: &WorkspaceId) -> Result<Webhooks<Vec<Webhook>>> {
        let reply: Result<All> = self.get("webhooks.list", &all(ws)).send().await;
        Webhooks::from_result(reply.map(|reply| reply.webhooks))
    }

    /// Registers a webhook: `POST /workspaces/{ws}/webhooks/`. Not idempotent: look with [`Client::list_webhooks`] first.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// use fastio::signature::SigningSecret;
    /// use fastio::{NewWebhook, WebhookEvent, Webhooks};
    ///
    /// let new = NewWebhook {
    ///     url: "https://hooks.example/studio".parse()?,
    ///     events: [WebhookEvent::Upload, WebhookEvent::Move].into(),
    ///     secret: SigningSecret::new("0123456789abcdef0123456789abcdef")?,
    /// };
    /// match client.create_webhook(ws, &new).await? {
    ///     Webhooks::Supported(webhook) => {
    ///         assert_eq!(client.list_webhooks(ws).await?, Webhooks::Supported(vec![webhook]));
    ///     }
    ///     // The live service of today.
    ///     Webhooks::Unsupported => println!("follow the change feed"),
    /// }
    /// // This service has the one dialect and not the other.
    /// assert_eq!(client.subscriptions(ws).await?, Webhooks::Unsupported);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_webhook(&self, ws: &WorkspaceId, webhook: &NewWebhook) -> Result<Webhooks<Webhook>> {
        const OPERATION: &str = "webhooks.create";
        let secret = secret_text(OPERATION, &webhook.secret)?;
        let call = self.post(OPERATION, &all(ws)).hiding(&secret);
        let form = vec![
            ("url", webhook.url.to_string()),
            ("events", event_list(OPERATION, &webhook.events)?),
            ("secret", secret),
        ];
        let reply: Result<One> = call.form(form).send().await;
        Webhooks::from_result(reply.map(|reply| reply.webhook))
    }

    /// One webhook: `GET /workspaces/{ws}/webhooks/{id}/`. One that does not exist is an error of class
    /// [`Gone`](crate::ErrorClass::Gone).
    pub async fn webhook(&self, ws: &WorkspaceId, id: &WebhookId) -> Result<Webhooks<Webhook>> {
        let reply: Result<One> = self.get("webhooks.details", &one(ws, id)).send().await;
        Webhooks::from_result(reply.map(|reply| reply.webhook))
    }

    /// Changes a webhook: `POST /workspaces/{ws}/webhooks/{id}/`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let new = fastio::NewWebhook {
    /// #     url: "https://hooks.example/studio".parse()?,
    /// #     events: [fastio::WebhookEvent::Move].into(),
    /// #     secret: fastio::signature::SigningSecret::new("0123456789abcdef0123456789abcdef")?,
    /// # };
    /// # let id = &client.create_webhook(ws, &new).await?.supported().ok_or("no webhooks")?.id;
    /// use fastio::signature::SigningSecret;
    /// use fastio::{ErrorClass, WebhookChange, WebhookEvent};
    ///
    /// let change = WebhookChange {
    ///     events: Some([WebhookEvent::Upload, WebhookEvent::Delete].into()),
    ///     secret: Some(SigningSecret::new("fedcba9876543210fedcba9876543210")?),
    ///     ..WebhookChange::default()
    /// };
    /// let changed = client.update_webhook(ws, id, &change).await?.supported().ok_or("no webhooks")?;
    /// assert_eq!(changed.events.len(), 2);
    /// assert_eq!(client.webhook(ws, id).await?.supported(), Some(changed));
    ///
    /// client.delete_webhook(ws, id).await?.supported().ok_or("no webhooks")?;
    /// let gone = client.webhook(ws, id).await.unwrap_err();
    /// assert_eq!(gone.class(), ErrorClass::Gone);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_webhook(
        &self,
        ws: &WorkspaceId,
        id: &WebhookId,
        change: &WebhookChange,
    ) -> Result<Webhooks<Webhook>> {
        const OPERATION: &str = "webhooks.update";
        let mut call = self.post(OPERATION, &one(ws, id));
        let mut form = Vec::new();
        if let Some(url) = &change.url {
            form.push(("url", url.to_string()));
        }
        if let Some(events) = &change.events {
            form.push(("events", event_list(OPERATION, events)?));
        }
        if let Some(secret) = &change.secret {
            let secret = secret_text(OPERATION, secret)?;
            call = call.hiding(&secret);
            form.push(("secret", secret));
        }
        if let Some(enabled) = change.enabled {
            form.push(("enabled", enabled.to_string()));
        }
        let reply: Result<One> = call.form(form).send().await;
        Webhooks::from_result(reply.map(|reply| reply.webhook))
    }

    /// Removes a webhook: `DELETE /workspaces/{ws}/webhooks/{id}/`. One that does not exist is an error of class
    /// [`Gone`](crate::ErrorClass::Gone).
    pub async fn delete_webhook(&self, ws: &WorkspaceId, id: &WebhookId) -> Result<Webhooks<()>> {
        Webhooks::from_result(self.delete("webhooks.delete", &one(ws, id)).done().await)
    }
}

fn all(ws: &WorkspaceId) -> [&str; 3] {
    ["workspaces", ws.as_str(), "webhooks"]
}

fn one<'a>(ws: &'a WorkspaceId, id: &'a WebhookId) -> [&'a str; 4] {
    ["workspaces", ws.as_str(), "webhooks", id.as_str()]
}

fn event_list(operation: &'static str, events: &BTreeSet<WebhookEvent>) -> Result<String> {
    if events.is_empty() {
        return Err(Error::argument(operation, "events", "is empty: name at least one kind of event"));
    }
    Ok(events.iter().map(WebhookEvent::as_str).collect::<Vec<_>>().join(","))
}

fn secret_text(operation: &'static str, secret: &SigningSecret) -> Result<String> {
    let text = std::str::from_utf8(secret.expose()).map(str::to_owned);
    text.map_err(|_| {
        Error::argument(operation, "secret", "is not UTF-8: use a secret of printable characters")
    })
}

fn yes() -> bool {
    true
}

/// A list, or one text with commas.
fn events<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeSet<WebhookEvent>, D::Error> {
    let words = match Value::deserialize(deserializer)? {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(WebhookEvent::from).collect(),
        Value::String(text) => {
            text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(WebhookEvent::from).collect()
        }
        _ => BTreeSet::new(),
    };
    Ok(words)
}

#[cfg(test)]
mod tests;
