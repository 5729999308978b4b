//! What is to be done at Fast.io. Pure.

use fastio::{Webhook, WebhookId};
use url::Url;

use super::Wanted;

/// What is to be done, beside removing [`Plan::duplicates`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) action: Action,
    /// Further webhooks with our marker, left by a race or a lost answer.
    pub(super) duplicates: Vec<WebhookId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Register,
    Correct(WebhookId, Differences),
    Keep(WebhookId),
}

/// What differs from what is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each field is a field of the webhook")]
pub(super) struct Differences {
    pub(super) url: bool,
    pub(super) events: bool,
    pub(super) disabled: bool,
    pub(super) secret: bool,
}

impl Differences {
    /// The fields, for people.
    pub(super) fn names(self) -> String {
        let fields =
            [(self.url, "url"), (self.events, "events"), (self.disabled, "enabled"), (self.secret, "secret")];
        let names: Vec<_> =
            fields.into_iter().filter_map(|(differs, name)| differs.then_some(name)).collect();
        names.join(", ")
    }
}

/// `marked`: the webhooks that carry our marker. `known`: id and key fingerprint of the status.
pub(super) fn plan(wanted: &Wanted, marked: &[Webhook], known: (Option<&str>, Option<&str>)) -> Plan {
    let (known_id, known_fingerprint) = known;
    // The one that the status names, or else the oldest: every replica and every restart chooses the same.
    let chosen = marked
        .iter()
        .min_by_key(|webhook| (Some(webhook.id.as_str()) != known_id, webhook.created, webhook.id.clone()));
    let Some(chosen) = chosen else {
        return Plan { action: Action::Register, duplicates: Vec::new() };
    };
    let differences = Differences {
        url: Url::parse(&chosen.url).ok().as_ref() != Some(&wanted.url),
        events: chosen.events != wanted.events,
        disabled: !chosen.enabled,
        secret: known_fingerprint != Some(wanted.secret.fingerprint().as_str()),
    };
    let action = if differences == Differences::default() {
        Action::Keep(chosen.id.clone())
    } else {
        Action::Correct(chosen.id.clone(), differences)
    };
    let duplicates =
        marked.iter().filter(|webhook| webhook.id != chosen.id).map(|webhook| webhook.id.clone()).collect();
    Plan { action, duplicates }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::RootKey;

    fn wanted() -> Wanted {
        Wanted {
            workspace: "123".parse().unwrap(),
            url: "https://hooks.example/v1/hooks/u".parse().unwrap(),
            events: ["upload", "modify"].map(fastio::WebhookEvent::from).into(),
            secret: RootKey::new(&[7; 32]).unwrap().signing_secret("u"),
        }
    }

    fn webhook(id: &str, change: &serde_json::Value) -> Webhook {
        let mut webhook = json!({"id": id, "url": "https://hooks.example/v1/hooks/u",
            "events": ["modify", "upload", "upload"], "enabled": true, "created": "2026-10-01 10:00:00 UTC"});
        for (field, value) in change.as_object().unwrap() {
            webhook[field] = value.clone();
        }
        serde_json::from_value(webhook).unwrap()
    }

    fn decide(marked: &[Webhook], id: Option<&str>) -> Plan {
        plan(&wanted(), marked, (id, Some(&wanted().secret.fingerprint())))
    }

    #[test]
    fn nothing_is_registered_and_what_is_right_is_kept() {
        assert_eq!(decide(&[], Some("gone")).action, Action::Register);
        let right = webhook("w1", &json!({}));
        assert_eq!(decide(std::slice::from_ref(&right), None).action, Action::Keep(right.id.clone()));
    }

    #[test]
    fn every_difference_is_corrected() {
        let differences =
            |change: &serde_json::Value| match decide(&[webhook("w1", change)], Some("w1")).action {
                Action::Correct(_, differences) => differences,
                other => panic!("{other:?}"),
            };
        let none = Differences::default();
        assert_eq!(
            differences(&json!({"url": "https://old.example/v1/hooks/u"})),
            Differences { url: true, ..none }
        );
        assert_eq!(differences(&json!({"events": ["upload"]})), Differences { events: true, ..none });
        assert_eq!(differences(&json!({"enabled": false})), Differences { disabled: true, ..none });
        let adopted = plan(&wanted(), &[webhook("w1", &json!({}))], (None, None));
        assert!(matches!(adopted.action, Action::Correct(_, Differences { secret: true, .. })));
    }

    #[test]
    fn one_of_several_is_kept_and_always_the_same() {
        let old = webhook("w9", &json!({"created": "2026-09-01 10:00:00 UTC"}));
        let new = webhook("w1", &json!({}));
        for marked in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
            let oldest = decide(&marked, None);
            assert_eq!(
                oldest,
                Plan { action: Action::Keep(old.id.clone()), duplicates: vec![new.id.clone()] }
            );
            let known = decide(&marked, Some("w1"));
            assert_eq!(
                known,
                Plan { action: Action::Keep(new.id.clone()), duplicates: vec![old.id.clone()] }
            );
        }
    }
}
