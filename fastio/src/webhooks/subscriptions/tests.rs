use secrecy::ExposeSecret;

use super::*;
use crate::ErrorClass;
use crate::client::stub::{Asked, Stub, json, reply, unknown_route};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const SHOWN: &str = r#""id":"wmabc-defgh","target_url":"https://hooks.example/uid-1",
    "event_type_subscriptions":["workspace_storage_file_added"],"enabled":"yes","description":"studio",
    "rate_limit_per_hour":"0","family_allowlist":"[\"cdn.example\"]","created":"2026-07-01 09:08:07 UTC""#;

fn ws() -> WorkspaceId {
    "1234567890123456789".parse().unwrap()
}

fn id() -> SubscriptionId {
    "wmabcdefgh".parse().unwrap()
}

fn new() -> NewSubscription {
    NewSubscription {
        url: "https://hooks.example/uid-1".parse().unwrap(),
        events: ["workspace_storage_file_added", "workspace_storage_file_moved"].map(str::to_owned).into(),
        description: Some("studio".to_owned()),
        rate_limit_per_hour: Some(600),
        family_allowlist: BTreeSet::new(),
    }
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_subscription_lives_its_life() {
    let one = format!(r#"{{"result":true,"outbound_webhook_subscription":{{{SHOWN}}}}}"#);
    let stub = Stub::start([
        json(&format!(
            r#"{{"result":true,"outbound_webhook_subscription":{{{SHOWN},"secret":"{SECRET}"}}}}"#
        )),
        json(&format!(r#"{{"result":true,"outbound_webhook_subscriptions":[{{{SHOWN}}}]}}"#)),
        json(r#"{"result":true,"outbound_webhook_subscriptions":null}"#),
        json(&one),
        json(&one),
        json(&format!(r#"{{"result":true,"secret":"{}"}}"#, SECRET.to_uppercase())),
        json(r#"{"result":true}"#),
    ])
    .await;
    let client = stub.client();
    let made = client.create_subscription(&ws(), &new()).await.unwrap().supported().unwrap();
    assert_eq!(made.secret.expose_secret(), SECRET);
    assert!(!format!("{made:?}").contains(SECRET));
    let subscription = made.subscription;
    assert_eq!(subscription.id, id());
    assert_eq!(subscription.url, "https://hooks.example/uid-1");
    assert_eq!(subscription.events, BTreeSet::from(["workspace_storage_file_added".to_owned()]));
    assert_eq!(subscription.family_allowlist, BTreeSet::from(["cdn.example".to_owned()]));
    assert_eq!((subscription.enabled, subscription.rate_limit_per_hour), (true, Some(0)));
    assert!(subscription.created.is_some());

    let listed = client.subscriptions(&ws()).await.unwrap();
    assert_eq!(listed, Webhooks::Supported(vec![subscription.clone()]));
    assert_eq!(client.subscriptions(&ws()).await.unwrap(), Webhooks::Supported(Vec::new()));
    assert_eq!(client.subscription(&id()).await.unwrap(), Webhooks::Supported(subscription.clone()));
    let change = SubscriptionChange {
        enabled: Some(false),
        family_allowlist: Some(BTreeSet::from(["a".to_owned(), "b\"".to_owned()])),
        ..SubscriptionChange::default()
    };
    assert_eq!(client.update_subscription(&id(), &change).await.unwrap(), Webhooks::Supported(subscription));
    let rotated = client.rotate_subscription_secret(&id()).await.unwrap().supported().unwrap();
    assert_eq!(rotated.expose_secret(), &SECRET.to_uppercase());
    assert_eq!(client.delete_subscription(&id()).await.unwrap(), Webhooks::Supported(()));

    let asked = stub.requests();
    let lines: Vec<_> = asked.iter().map(Asked::line).collect();
    let all = "/current/workspace/1234567890123456789/outbound_webhook_subscriptions/";
    let one = "/current/outbound_webhook_subscriptions/wmabcdefgh/";
    assert_eq!(
        lines,
        [
            format!("POST {all}"),
            format!("GET {all}"),
            format!("GET {all}"),
            format!("GET {one}"),
            format!("PATCH {one}"),
            format!("POST {one}rotate_secret/"),
            format!("DELETE {one}"),
        ]
    );
    assert_eq!(
        asked[0].form(),
        pairs(&[
            ("target_url", "https://hooks.example/uid-1"),
            (
                "event_type_subscriptions",
                r#"["workspace_storage_file_added","workspace_storage_file_moved"]"#
            ),
            ("description", "studio"),
            ("rate_limit_per_hour", "600"),
        ])
    );
    assert_eq!(asked[4].form(), pairs(&[("enabled", "false"), ("family_allowlist", r#"["a","b\""]"#)]));
    assert_eq!(asked[5].form(), pairs(&[]));
}

#[tokio::test]
async fn a_retired_api_is_an_answer() {
    let stub = Stub::start(std::iter::repeat_with(unknown_route).take(6)).await;
    let client = stub.client();
    assert_eq!(client.subscriptions(&ws()).await.unwrap(), Webhooks::Unsupported);
    assert!(client.create_subscription(&ws(), &new()).await.unwrap().supported().is_none());
    assert_eq!(client.subscription(&id()).await.unwrap(), Webhooks::Unsupported);
    let change = SubscriptionChange { enabled: Some(true), ..SubscriptionChange::default() };
    assert_eq!(client.update_subscription(&id(), &change).await.unwrap(), Webhooks::Unsupported);
    assert_eq!(client.delete_subscription(&id()).await.unwrap(), Webhooks::Unsupported);
    assert!(client.rotate_subscription_secret(&id()).await.unwrap().supported().is_none());
}

#[tokio::test]
async fn what_is_no_secret_is_broken_and_not_shown() {
    let stub = Stub::start([
        json(r#"{"result":true,"outbound_webhook_subscription":{"id":"wm1"}}"#),
        json(r#"{"result":true,"secret":""}"#),
        json(&format!(
            r#"{{"result":true,"outbound_webhook_subscription":{{"id":[],"secret":"{SECRET}"}}}}"#
        )),
        reply(404, &[], r#"{"result":false,"error":{"code":1609,"text":"No such subscription"}}"#),
    ])
    .await;
    let client = stub.client();
    for _ in 0..2 {
        let error = client.rotate_subscription_secret(&id()).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Broken);
    }
    let error = client.create_subscription(&ws(), &new()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Broken);
    assert!(!format!("{error:?}").contains(SECRET));
    assert_eq!(client.subscription(&id()).await.unwrap_err().class(), ErrorClass::Gone);
}

#[tokio::test]
async fn what_says_nothing_is_refused_before_the_call() {
    let stub = Stub::start([]).await;
    let client = stub.client();
    let none = NewSubscription { events: BTreeSet::new(), ..new() };
    let error = client.create_subscription(&ws(), &none).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    let error = client.update_subscription(&id(), &SubscriptionChange::default()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert!(stub.requests().is_empty());
}
