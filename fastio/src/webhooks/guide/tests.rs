use super::*;
use crate::ErrorClass;
use crate::client::stub::{Stub, json, reply, unknown_route};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const ONE: &str = r#"{"result":true,"webhook":{"id":"wh-1","url":"https://hooks.example/fastio/uid-1",
    "events":["upload","modify"],"enabled":true,"created":"2026-05-07 09:08:07 UTC"}}"#;

fn ws() -> WorkspaceId {
    "1234567890123456789".parse().unwrap()
}

fn id() -> WebhookId {
    "wh-1".parse().unwrap()
}

fn new() -> NewWebhook {
    NewWebhook {
        url: "https://hooks.example/fastio/uid-1".parse().unwrap(),
        events: BTreeSet::from([WebhookEvent::Modify, WebhookEvent::Upload]),
        secret: SigningSecret::new(SECRET).unwrap(),
    }
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_webhook_is_registered_found_changed_and_removed() {
    let list = ONE.replace("\"webhook\":", "\"webhooks\":[").replace("}}", "}]}");
    let stub = Stub::start([json(ONE), json(&list), json(ONE), json(ONE), json(r#"{"result":true}"#)]).await;
    let client = stub.client();
    let made = client.create_webhook(&ws(), &new()).await.unwrap().supported().unwrap();
    assert_eq!(made.id, id());
    assert_eq!(made.events, new().events);
    assert!(made.enabled && made.created.is_some());
    assert_eq!(client.list_webhooks(&ws()).await.unwrap(), Webhooks::Supported(vec![made.clone()]));
    assert_eq!(client.webhook(&ws(), &id()).await.unwrap(), Webhooks::Supported(made));
    let change = WebhookChange {
        events: Some(BTreeSet::from([WebhookEvent::Delete])),
        enabled: Some(false),
        ..WebhookChange::default()
    };
    assert!(client.update_webhook(&ws(), &id(), &change).await.unwrap().supported().is_some());
    assert_eq!(client.delete_webhook(&ws(), &id()).await.unwrap(), Webhooks::Supported(()));

    let asked = stub.requests();
    let all = "/current/workspaces/1234567890123456789/webhooks/";
    assert_eq!(asked[0].line(), format!("POST {all}"));
    assert_eq!(
        asked[0].form(),
        pairs(&[
            ("url", "https://hooks.example/fastio/uid-1"),
            ("events", "upload,modify"),
            ("secret", SECRET)
        ])
    );
    assert_eq!(asked[1].line(), format!("GET {all}"));
    assert_eq!(asked[2].line(), format!("GET {all}wh-1/"));
    assert_eq!(asked[3].line(), format!("POST {all}wh-1/"));
    assert_eq!(asked[3].form(), pairs(&[("events", "delete"), ("enabled", "false")]));
    assert_eq!(asked[4].line(), format!("DELETE {all}wh-1/"));
}

#[tokio::test]
async fn the_secret_is_not_shown_even_when_the_service_echoes_it() {
    let echo = format!(
        r#"{{"result":false,"error":{{"code":1605,"params":[{{"name":"secret","message":"{SECRET} is weak"}}]}}}}"#
    );
    let stub = Stub::start([reply(406, &[], &echo), reply(406, &[], &echo)]).await;
    let client = stub.client();
    let change = WebhookChange { secret: Some(new().secret), ..WebhookChange::default() };
    for error in [
        client.create_webhook(&ws(), &new()).await.unwrap_err(),
        client.update_webhook(&ws(), &id(), &change).await.unwrap_err(),
    ] {
        assert_eq!(error.class(), ErrorClass::Invalid);
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    }
}

#[tokio::test]
async fn a_service_without_webhooks_is_an_answer() {
    let stub = Stub::start(std::iter::repeat_with(unknown_route).take(5)).await;
    let client = stub.client();
    assert_eq!(client.list_webhooks(&ws()).await.unwrap(), Webhooks::Unsupported);
    assert_eq!(client.create_webhook(&ws(), &new()).await.unwrap(), Webhooks::Unsupported);
    assert_eq!(client.webhook(&ws(), &id()).await.unwrap(), Webhooks::Unsupported);
    let change = WebhookChange::default();
    assert_eq!(client.update_webhook(&ws(), &id(), &change).await.unwrap(), Webhooks::Unsupported);
    assert_eq!(client.delete_webhook(&ws(), &id()).await.unwrap(), Webhooks::Unsupported);
}

#[tokio::test]
async fn a_missing_webhook_is_not_a_missing_api() {
    let stub = Stub::start([
        reply(404, &[], r#"{"result":false,"error":{"code":1609,"text":"Webhook not found"}}"#),
        reply(404, &[], "<html>404</html>"),
    ])
    .await;
    let client = stub.client();
    assert_eq!(client.webhook(&ws(), &id()).await.unwrap_err().class(), ErrorClass::Gone);
    assert_eq!(client.webhook(&ws(), &id()).await.unwrap_err().class(), ErrorClass::Broken);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_the_call() {
    let stub = Stub::start([]).await;
    let client = stub.client();
    let none = NewWebhook { events: BTreeSet::new(), ..new() };
    let binary = NewWebhook { secret: SigningSecret::new([0xff; 32]).unwrap(), ..new() };
    for webhook in [none, binary] {
        assert_eq!(client.create_webhook(&ws(), &webhook).await.unwrap_err().class(), ErrorClass::Invalid);
    }
    assert!(stub.requests().is_empty());
    assert!(!format!("{:?}", new()).contains(SECRET));
}

#[test]
fn events_are_read_as_list_or_text() {
    let events = |json: &str| {
        let webhook = format!(r#"{{"id":"w","url":"https://x","events":{json}}}"#);
        serde_json::from_str::<Webhook>(&webhook).unwrap().events
    };
    let expected = BTreeSet::from([WebhookEvent::Upload, WebhookEvent::Other("rename".to_owned())]);
    assert_eq!(events(r#"["rename","upload"]"#), expected);
    assert_eq!(events(r#""upload, rename""#), expected);
    assert!(events("null").is_empty());
    for event in ["upload", "modify", "move", "delete", "access", "rename"] {
        assert_eq!(WebhookEvent::from(event).to_string(), event);
    }
}
