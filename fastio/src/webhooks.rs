//! Webhooks, in two dialects that no live service offers at the time of writing: the guide's ([`Client::create_webhook`]
//! and its neighbours, secret made by the client) and the one of the API that was there for some weeks in 2026
//! ([`Client::create_subscription`] and its neighbours, secret made by the service).
//!
//! A service without them answers HTTP 404 with code 9992. That is an answer, not an error:
//! [`Webhooks::Unsupported`].

pub(crate) mod guide;
pub(crate) mod subscriptions;

pub use guide::{NewWebhook, Webhook, WebhookChange, WebhookEvent};
pub use subscriptions::{CreatedSubscription, NewSubscription, Subscription, SubscriptionChange};

#[cfg(doc)]
use crate::Client;
use crate::Result;

/// The answer of a service that may or may not have webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Webhooks<T> {
    /// The service has webhooks, and this is its answer.
    Supported(T),
    /// The service has no webhooks.
    Unsupported,
}

impl<T> Webhooks<T> {
    /// The answer of a service that has webhooks.
    pub fn supported(self) -> Option<T> {
        match self {
            Self::Supported(answer) => Some(answer),
            Self::Unsupported => None,
        }
    }

    fn from_result(result: Result<T>) -> Result<Self> {
        match result {
            Ok(answer) => Ok(Self::Supported(answer)),
            Err(error) if error.is_unknown_route() => Ok(Self::Unsupported),
            Err(error) => Err(error),
        }
    }
}
