//! The manners of every call: key, redirects, limits, retries, bounds.

mod times;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::reply::{Origin, read_reply};
use super::stub::{KEY, Stub, client_at, json, reply};
use crate::limit::Limiter;
use crate::{ApiKey, ApiKeySource, ErrorClass, HumanReason};

const GOOD: &str = r#"{"result":true,"id":"1"}"#;

fn key() -> ApiKeySource {
    ApiKeySource::Static(ApiKey::new(KEY).unwrap())
}

#[tokio::test]
async fn a_call_says_who_it_is_and_keeps_the_request_id() {
    let stub = Stub::start([reply(403, &[], r#"{"result":false,"error":{"code":10545,"text":"No"}}"#)]).await;
    let error = stub.client().auth_check().await.unwrap_err();
    let asked = &stub.requests()[0];
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert!(asked.header("user-agent").unwrap().starts_with("fastio-operator/"));
    assert_eq!(error.operation(), "auth.check");
    assert_eq!(error.request_id(), Some("req-1"));
    assert_eq!(error.class(), ErrorClass::NeedsHuman(HumanReason::NotAMember));
}

#[tokio::test]
async fn the_key_is_not_shown_even_when_the_service_echoes_it() {
    let echo = format!(r#"{{"result":false,"error":{{"code":10011,"text":"bad key {KEY}"}}}}"#);
    let stub = Stub::start([reply(401, &[], &echo), reply(200, &[], &format!("{{{KEY}"))]).await;
    let client = stub.client();
    for _ in 0..2 {
        let error = client.auth_check().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    }
    assert!(!format!("{client:?}").contains(KEY));
}

#[tokio::test]
async fn a_rotated_key_file_counts_for_the_next_call() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("apiKey");
    std::fs::write(&path, "first").unwrap();
    let stub = Stub::start([json(GOOD), json(GOOD)]).await;
    let client = stub.client_with(ApiKeySource::File(path.clone()));
    client.auth_check().await.unwrap();
    std::fs::write(&path, "second\n").unwrap();
    client.auth_check().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = client.auth_check().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::NeedsHuman(HumanReason::KeyUnusable));
    let sent: Vec<_> =
        stub.requests().iter().map(|asked| asked.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(sent, ["Bearer first", "Bearer second"]);
}

#[tokio::test]
async fn no_redirect_ever_carries_the_key() {
    let elsewhere = Stub::start([json(GOOD)]).await;
    let target = elsewhere.client().base_url().to_string();
    let stub = Stub::start([reply(307, &[("location", &target)], "")]).await;
    let error = stub.client().auth_check().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Broken);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_get_is_tried_again_quickly_after_a_passing_failure() {
    let down = || reply(503, &[], "<html>");
    let stub = Stub::start([down(), reply(502, &[], ""), json(GOOD)]).await;
    stub.client().auth_check().await.unwrap();
    assert_eq!(stub.requests().len(), 3);

    let stub = Stub::start([down(), down(), down(), json(GOOD)]).await;
    let error = stub.client().auth_check().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry { after: None });
    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn what_is_not_a_get_or_asks_for_a_pause_is_left_to_the_caller() {
    let upload = "5abc".parse().unwrap();
    let stub = Stub::start([reply(503, &[], ""), reply(503, &[("retry-after", "7")], "")]).await;
    let client = stub.client();
    assert_eq!(client.complete_upload(&upload).await.unwrap_err().status(), Some(503));
    assert_eq!(stub.requests().len(), 1);
    assert_eq!(client.auth_check().await.unwrap_err().status(), Some(503));
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn a_limit_holds_every_call_with_the_key_and_no_other() {
    let limited = |headers: &[(&str, &str)]| reply(429, headers, r#"{"result":false,"error":{"code":1671}}"#);
    let far = SystemTime::now() + Duration::from_mins(10);
    let far = far.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string();
    let stub = Stub::start([limited(&[("x-ve-limit-expires", &far)]), json(GOOD)]).await;
    let client = stub.client();
    let wait = client.auth_check().await.unwrap_err().retry_after().unwrap();
    assert!(wait > Duration::from_secs(590) && wait <= Duration::from_secs(602), "{wait:?}");

    let held = client.clone().scopes().await.unwrap_err();
    assert!(matches!(held.class(), ErrorClass::WaitUntil(_)), "{held}");
    assert!(held.retry_after().unwrap() > Duration::from_secs(590));
    assert_eq!(stub.requests().len(), 1, "a held call must not reach the service");
    let second = stub.client().auth_check().await.unwrap_err();
    assert!(
        matches!(second.class(), ErrorClass::WaitUntil(_)),
        "another client has the same limiter: {second}"
    );
    assert_eq!(stub.requests().len(), 1);
    let other = ApiKeySource::Static(ApiKey::new("another-key").unwrap());
    stub.client_with(other).auth_check().await.unwrap();
}

#[tokio::test]
async fn a_limit_of_the_event_search_holds_no_other_call() {
    let limited = reply(429, &[("retry-after", "60")], r#"{"result":false,"error":{"code":1671}}"#);
    let stub = Stub::start([limited, json(GOOD)]).await;
    let client = stub.client();
    let search = crate::EventSearch::new("1".parse().unwrap());
    for _ in 0..2 {
        let error = client.search_events(&search, None).await.unwrap_err();
        assert!(matches!(error.class(), ErrorClass::WaitUntil(_)), "{error}");
    }
    client.auth_check().await.unwrap();
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn a_short_limit_is_waited_for() {
    let stub =
        Stub::start([reply(429, &[("retry-after", "1")], r#"{"result":false,"error":{}}"#), json(GOOD)])
            .await;
    let client = stub.client();
    let start = Instant::now();
    client.auth_check().await.unwrap_err();
    client.auth_check().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_reply_without_end_is_cut() {
    let huge = format!("{{\"result\":true,\"id\":\"{}\"}}", "x".repeat(5 * 1024 * 1024));
    let stub = Stub::start([json(&huge)]).await;
    let error = stub.client().auth_check().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Broken);
    assert!(error.to_string().contains("longer than 4194304 bytes"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_error_page_that_does_not_end_is_given_up() {
    let drops = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Some((Ok::<_, std::io::Error>("x"), ()))
    });
    let page = http::Response::builder().status(503).body(reqwest::Body::wrap_stream(drops)).unwrap();
    let limiter = Arc::new(Limiter::new(0.0));
    let origin = Origin { operation: "test", by_token: true, secrets: Vec::new(), limiter };
    let reading = read_reply(origin, page.into(), Some(Duration::from_secs(30)));
    let error = tokio::time::timeout(Duration::from_secs(31), reading).await.unwrap().unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry { after: None });
}

#[tokio::test]
async fn half_a_reply_and_no_service_are_retried_by_the_caller() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/current", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let read = socket.read(&mut [0; 4096]).await.unwrap();
        assert!(read > 0);
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"result\"").await.unwrap();
    });
    let error = client_at(&base, key()).auth_check().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry { after: None });
    server.await.unwrap();

    // The listener is gone: nothing answers on that port.
    let error = client_at(&base, key()).auth_check().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry { after: None });
    assert!(error.to_string().contains("no complete reply"), "{error}");
    assert!(!error.to_string().contains("/user/auth"), "the URL must not be shown: {error}");
}
