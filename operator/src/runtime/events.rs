//! Kubernetes events, for what a person wants to see in `kubectl describe`.

use fastio_crds::conditions::Reason;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};

/// Longest note of an event, in bytes (the API's limit is 1 kB).
const MAX_NOTE: usize = 1000;

/// Publishes events. Cheap to clone; clones share the deduplication.
#[derive(Clone)]
pub struct Events(Recorder);

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

/// What happened, in one word beside the reasons of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A condition changed, for this reason.
    Condition(Reason),
    /// The webhook was registered with Fast.io.
    WebhookRegistered,
    /// The webhook at Fast.io was not as it should be, and was corrected.
    WebhookCorrected,
    /// The webhook was removed from Fast.io.
    WebhookRemoved,
    /// The webhook was left at Fast.io.
    WebhookRetained,
}

impl Happened {
    fn reason(self) -> &'static str {
        match self {
            Self::Condition(reason) => reason.as_str(),
            Self::WebhookRegistered => "WebhookRegistered",
            Self::WebhookCorrected => "WebhookCorrected",
            Self::WebhookRemoved => "WebhookRemoved",
            Self::WebhookRetained => "WebhookRetained",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Condition(_) => "Reconcile",
            Self::WebhookRegistered => "Register",
            Self::WebhookCorrected => "Correct",
            Self::WebhookRemoved | Self::WebhookRetained => "Remove",
        }
    }
}

impl Events {
    /// Events of this operator.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(Recorder::new(client, Reporter { controller: "fastio-operator".to_owned(), instance: None }))
    }

    /// Something went well.
    pub async fn normal<K: Resource<DynamicType = ()>>(&self, object: &K, what: Happened, note: &str) {
        self.publish(&object.object_ref(&()), EventType::Normal, what, note).await;
    }

    /// Something is wrong.
    pub async fn warning<K: Resource<DynamicType = ()>>(&self, object: &K, what: Happened, note: &str) {
        self.publish(&object.object_ref(&()), EventType::Warning, what, note).await;
    }

    async fn publish(&self, object: &ObjectReference, type_: EventType, what: Happened, note: &str) {
        let event = Event {
            type_,
            reason: what.reason().to_owned(),
            note: Some(shortened(note).to_owned()),
            action: what.action().to_owned(),
            secondary: None,
        };
        // An event is news, not state: what it tells is in the status, so that a lost one costs nothing.
        if let Err(error) = self.0.publish(&event, object).await {
            tracing::debug!(%error, reason = event.reason, "an event was not published");
        }
    }
}

fn shortened(note: &str) -> &str {
    note.get(..note.floor_char_boundary(MAX_NOTE)).unwrap_or(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_notes_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        assert!(shortened(&"ü".repeat(700)).len() <= MAX_NOTE);
    }
}
