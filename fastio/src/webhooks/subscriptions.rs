//! Webhooks of a workspace in the dialect of the retired API. Source: history of the official CLI
//! (`orchestration.rs` of July 2026, removed with commit 96b1551 on 2026-07-21).
//!
//! What deliveries looked like, how they were signed and which events there were has never been public: a receiver has to
//! be configured for what is seen.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use url::Url;

use super::Webhooks;
use crate::client::Reply;
use crate::envelope::fields;
use crate::error::Error;
use crate::{Client, Result, SubscriptionId, WorkspaceId};

/// A subscription: where the service delivers what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Where deliveries go, as the service keeps it.
    #[serde(default, rename = "target_url", deserialize_with = "fields::or_empty_text")]
    pub url: String,
    /// The events that it delivers, by the service's names.
    #[serde(default, rename = "event_type_subscriptions", deserialize_with = "words")]
    pub events: BTreeSet<String>,
    /// Deliveries are made.
    #[serde(default = "yes", deserialize_with = "fields::flag")]
    pub enabled: bool,
    /// A text for people.
    #[serde(default, deserialize_with = "fields::opt_text")]
    pub description: Option<String>,
    /// Most deliveries in an hour; 0 for no bound.
    #[serde(default, deserialize_with = "fields::opt_u64")]
    pub rate_limit_per_hour: Option<u64>,
    /// Ends of host names that deliveries may go to although they are a CDN's.
    #[serde(default, deserialize_with = "words")]
    pub family_allowlist: BTreeSet<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "fields::opt_time")]
    pub created: Option<Timestamp>,
}

/// A subscription with its secret, which the service shows this once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreatedSubscription {
    /// The subscription.
    pub subscription: Subscription,
    /// What its deliveries are signed with: the text as the service shows it. Whether its bytes are the key, or what
    /// they encode, was never public. Never shown, wiped from memory when dropped.
    pub secret: SecretString,
}

/// A subscription to make.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// Where deliveries go. The service takes `https` alone, and no private or reserved address.
    pub url: Url,
    /// The events to deliver, by the service's names; not empty.
    pub events: BTreeSet<String>,
    /// A text for people.
    pub description: Option<String>,
    /// Most deliveries in an hour; `None` or 0 for no bound.
    pub rate_limit_per_hour: Option<u64>,
    /// Ends of host names that deliveries may go to although they are a CDN's.
    pub family_allowlist: BTreeSet<String>,
}

/// What to change of a subscription; `None` leaves it as it is. Target and events cannot be changed: make a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// Whether deliveries are made.
    pub enabled: Option<bool>,
    /// A text for people.
    pub description: Option<String>,
    /// Most deliveries in an hour; 0 for no bound.
    pub rate_limit_per_hour: Option<u64>,
    /// Ends of host names that deliveries may go to although they are a CDN's.
    pub family_allowlist: Option<BTreeSet<String>>,
}

/// The name of a subscription, and with an `s` of several, in paths and replies.
const ONE: &str = "outbound_webhook_subscription";
const ALL: &str = "outbound_webhook_subscriptions";

impl Client {
    /// The subscriptions of a workspace: `GET /workspace/{ws}/outbound_webhook_subscriptions/`.
    pub async fn subscriptions(&self, ws: &WorkspaceId) -> Result<Webhooks<Vec<Subscription>>> {
        let reply = self.get("subscriptions.list", &["workspace", ws.as_str(), ALL]).reply().await?;
        Webhooks::from_result(read_all(&reply))
    }

    /// Makes a subscription: `POST /workspace/{ws}/outbound_webhook_subscriptions/`. Not idempotent: look with
    /// [`Client::subscriptions`] first.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::offering(fastio_simulator::WebhookDialect::Subscriptions).await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// use fastio::{ExposeSecret, NewSubscription, SubscriptionChange, Webhooks};
    ///
    /// let new = NewSubscription {
    ///     url: "https://hooks.example/studio".parse()?,
    ///     events: ["workspace_storage_file_added".to_owned()].into(),
    ///     description: Some("studio".to_owned()),
    ///     rate_limit_per_hour: None,
    ///     family_allowlist: [].into(),
    /// };
    /// let Webhooks::Supported(made) = client.create_subscription(ws, &new).await? else {
    ///     return Err("the service has no subscriptions: follow the change feed".into());
    /// };
    /// let (id, old) = (&made.subscription.id, made.secret); // keep the secret: nobody is told again
    /// assert_eq!(client.subscriptions(ws).await?, Webhooks::Supported(vec![made.subscription.clone()]));
    ///
    /// let secret = client.rotate_subscription_secret(id).await?.supported().ok_or("retired")?;
    /// assert_ne!(secret.expose_secret(), old.expose_secret());
    ///
    /// let pause = SubscriptionChange { enabled: Some(false), ..SubscriptionChange::default() };
    /// let paused = client.update_subscription(id, &pause).await?;
    /// assert_eq!(client.subscription(id).await?, paused);
    /// client.delete_subscription(id).await?.supported().ok_or("retired")?;
    /// assert_eq!(client.subscriptions(ws).await?, Webhooks::Supported(vec![]));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_subscription(
        &self,
        ws: &WorkspaceId,
        new: &NewSubscription,
    ) -> Result<Webhooks<CreatedSubscription>> {
        const OPERATION: &str = "subscriptions.create";
        if new.events.is_empty() {
            return Err(Error::argument(OPERATION, "events", "is empty: name at least one event"));
        }
        let mut form =
            vec![("target_url", new.url.to_string()), ("event_type_subscriptions", json_list(&new.events))];
        if let Some(description) = &new.description {
            form.push(("description", description.clone()));
        }
        if let Some(rate) = new.rate_limit_per_hour {
            form.push(("rate_limit_per_hour", rate.to_string()));
        }
        if !new.family_allowlist.is_empty() {
            form.push(("family_allowlist", json_list(&new.family_allowlist)));
        }
        let reply = self.post(OPERATION, &["workspace", ws.as_str(), ALL]).form(form).reply().await?;
        Webhooks::from_result(read_created(&reply))
    }

    /// One subscription, without its secret: `GET /outbound_webhook_subscriptions/{id}/`. One that does not exist is an
    /// error of class [`Gone`](crate::ErrorClass::Gone).
    pub async fn subscription(&self, id: &SubscriptionId) -> Result<Webhooks<Subscription>> {
        let reply = self.get("subscriptions.details", &[ALL, id.as_str()]).reply().await?;
        Webhooks::from_result(read_one(&reply))
    }

    /// Changes a subscription: `PATCH /outbound_webhook_subscriptions/{id}/`.
    pub async fn update_subscription(
        &self,
        id: &SubscriptionId,
        change: &SubscriptionChange,
    ) -> Result<Webhooks<Subscription>> {
        const OPERATION: &str = "subscriptions.update";
        let form: Vec<_> = [
            ("enabled", change.enabled.map(|enabled| enabled.to_string())),
            ("description", change.description.clone()),
            ("rate_limit_per_hour", change.rate_limit_per_hour.map(|rate| rate.to_string())),
            ("family_allowlist", change.family_allowlist.as_ref().map(json_list)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        if form.is_empty() {
            return Err(Error::argument(OPERATION, "change", "is empty: name something to change"));
        }
        let reply = self.patch(OPERATION, &[ALL, id.as_str()]).form(form).reply().await?;
        Webhooks::from_result(read_one(&reply))
    }

    /// Removes a subscription for good: `DELETE /outbound_webhook_subscriptions/{id}/`.
    pub async fn delete_subscription(&self, id: &SubscriptionId) -> Result<Webhooks<()>> {
        Webhooks::from_result(self.delete("subscriptions.delete", &[ALL, id.as_str()]).done().await)
    }

    /// Makes the service sign with a new secret, which it shows this once:
    /// `POST /outbound_webhook_subscriptions/{id}/rotate_secret/`. The old one counts no more.
    pub async fn rotate_subscription_secret(&self, id: &SubscriptionId) -> Result<Webhooks<SecretString>> {
        let call = self.post("subscriptions.rotate", &[ALL, id.as_str(), "rotate_secret"]).form(Vec::new());
        let reply = call.reply().await?;
        Webhooks::from_result(read_secret(&reply))
    }
}

pub(crate) fn read_all(reply: &Reply) -> Result<Vec<Subscription>> {
    let list = reply.fields()?.remove(ALL).unwrap_or_default();
    Ok(value::<Option<_>>(reply, list)?.unwrap_or_default())
}

pub(crate) fn read_one(reply: &Reply) -> Result<Subscription> {
    one(reply, reply.fields()?)
}

pub(crate) fn read_created(reply: &Reply) -> Result<CreatedSubscription> {
    let mut fields = reply.fields()?;
    let secret = take_secret(reply, &mut fields)?;
    Ok(CreatedSubscription { subscription: one(reply, fields)?, secret })
}

pub(crate) fn read_secret(reply: &Reply) -> Result<SecretString> {
    take_secret(reply, &mut reply.fields()?)
}

fn one(reply: &Reply, mut fields: Map<String, Value>) -> Result<Subscription> {
    value(reply, fields.remove(ONE).unwrap_or_default())
}

fn value<T: serde::de::DeserializeOwned>(reply: &Reply, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| reply.broken(error.to_string()))
}

/// Takes the secret out, beside the subscription or inside it, before anything else looks at the fields: a message about
/// a field that cannot be read quotes it.
fn take_secret(reply: &Reply, fields: &mut Map<String, Value>) -> Result<SecretString> {
    let inside = fields.get_mut(ONE).and_then(Value::as_object_mut).and_then(|one| one.remove("secret"));
    let secret = inside.or_else(|| fields.remove("secret"));
    match secret {
        Some(Value::String(text)) if !text.is_empty() => Ok(SecretString::from(text)),
        _ => Err(reply.broken("there is no \"secret\" in it")),
    }
}

/// `["a","b"]`, as text in a field of a form.
fn json_list(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).map(Value::from).collect::<Value>().to_string()
}

/// A list, or the same as JSON text.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BTreeSet<String>, D::Error> {
    let list = match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        other => other,
    };
    Ok(list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
