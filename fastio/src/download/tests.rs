use axum::body::Body;
use axum::response::Response;

use futures::TryStreamExt;

use super::*;
use crate::client::stub::{Stub, json, reply};
use crate::{ApiKey, ApiKeySource, ErrorClass};

const TOKEN: &str = "eyJhbGciOi.secret-token.x";

fn place() -> (WorkspaceId, NodeId) {
    ("1234567890123456789".parse().unwrap(), "2abc".parse().unwrap())
}

fn token() -> DownloadToken {
    DownloadToken { text: SecretString::from(TOKEN), limiter: Arc::new(Limiter::new(0.0)) }
}

async fn read(stub: &Stub, range: Option<ByteRange>) -> Result<Download> {
    let (ws, node) = place();
    stub.client().read(&ws, &node, &token(), None, range).await
}

async fn bytes(download: Download) -> Vec<u8> {
    download
        .try_fold(Vec::new(), |mut all, part| async move {
            all.extend_from_slice(&part);
            Ok(all)
        })
        .await
        .unwrap()
}

fn part(range: &str, body: &'static str) -> Response {
    Response::builder().status(206).header("content-range", range).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_and_never_shown() {
    let stub = Stub::start([json(&format!(r#"{{"result":true,"token":"{TOKEN}"}}"#))]).await;
    let (ws, node) = place();
    let version = "3v".parse().unwrap();
    let token = stub.client().download_token(&ws, &node, Some(&version)).await.unwrap();
    assert_eq!(format!("{token:?}"), "DownloadToken([REDACTED])");
    let asked = &stub.requests()[0];
    assert_eq!(
        asked.line(),
        "GET /current/workspace/1234567890123456789/storage/2abc/requestread/?version_id=3v"
    );
    assert!(asked.header("authorization").is_some());
}

fn key(text: &str) -> ApiKeySource {
    ApiKeySource::Static(ApiKey::new(text).unwrap())
}

fn token_reply() -> Response {
    json(&format!(r#"{{"result":true,"token":"{TOKEN}"}}"#))
}

fn limited() -> Response {
    reply(429, &[("retry-after", "60")], r#"{"result":false,"error":{"code":1671}}"#)
}

#[tokio::test]
async fn a_limit_stops_the_downloads_of_the_key_that_made_the_token_and_no_others() {
    let stub = Stub::start([
        token_reply(),
        token_reply(),
        limited(),
        reply(200, &[], "bytes"),
        json(r#"{"result":true,"id":"1"}"#),
    ])
    .await;
    let (ws, node) = place();
    let clients = ["tenant-a", "tenant-b"].map(|text| stub.client_with(key(text)));
    let [a, b] = [
        clients[0].download_token(&ws, &node, None).await.unwrap(),
        clients[1].download_token(&ws, &node, None).await.unwrap(),
    ];
    for _ in 0..2 {
        let stopped = clients[0].read(&ws, &node, &a, None, None).await.unwrap_err();
        assert!(matches!(stopped.class(), ErrorClass::WaitUntil(_)), "{stopped}");
    }
    clients[1].read(&ws, &node, &b, None, None).await.unwrap();
    clients[0].auth_check().await.unwrap();
    let asked = stub.requests();
    assert_eq!(asked.len(), 5, "a held read must not reach the service");
    let sent: Vec<_> = asked.iter().map(|asked| asked.header("authorization")).collect();
    let (a, b) = (Some("Bearer tenant-a"), Some("Bearer tenant-b"));
    assert_eq!(sent, [a, b, None, None, a]);
}

#[tokio::test]
async fn a_token_goes_with_the_key_that_made_it_when_the_key_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("apiKey");
    let stub = Stub::start([token_reply(), token_reply(), limited(), reply(200, &[], "bytes")]).await;
    let client = stub.client_with(ApiKeySource::File(path.clone()));
    let (ws, node) = place();
    std::fs::write(&path, "first").unwrap();
    let old = client.download_token(&ws, &node, None).await.unwrap();
    std::fs::write(&path, "second").unwrap();
    let new = client.download_token(&ws, &node, None).await.unwrap();
    // A read by token asks for no key.
    std::fs::remove_file(&path).unwrap();
    client.read(&ws, &node, &old, None, None).await.unwrap_err();
    client.read(&ws, &node, &new, None, None).await.unwrap();
    assert_eq!(stub.requests().len(), 4);
}

#[tokio::test]
async fn an_empty_token_is_no_token() {
    let stub = Stub::start([json(r#"{"result":true,"token":""}"#), json(r#"{"result":true}"#)]).await;
    let (ws, node) = place();
    for _ in 0..2 {
        let error = stub.client().download_token(&ws, &node, None).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Broken);
    }
}

#[tokio::test]
async fn the_bytes_are_read_with_the_token_and_without_the_key() {
    let stub = Stub::start([reply(200, &[("content-type", "image/jpeg")], "0123456789")]).await;
    let (ws, node) = place();
    let version = "3v".parse().unwrap();
    let download = stub.client().read(&ws, &node, &token(), Some(&version), None).await.unwrap();
    assert_eq!(download.status, DownloadStatus::Full);
    assert_eq!((download.len, download.total), (Some(10), Some(10)));
    assert_eq!(bytes(download).await, b"0123456789");
    let asked = &stub.requests()[0];
    assert_eq!(
        asked.line(),
        format!("GET /current/workspace/1234567890123456789/storage/2abc/read/?token={TOKEN}&version_id=3v")
    );
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.header("range"), None);
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn the_bytes_are_read_with_the_key_and_no_redirect_gets_it() {
    let store = Stub::start([reply(200, &[], "bytes")]).await;
    let target = format!("{}/blob", store.client().base_url());
    let stub = Stub::start([
        reply(200, &[], "0123456789"),
        part("bytes 4-9/10", "456789"),
        reply(302, &[("location", &target)], ""),
        reply(401, &[], r#"{"result":false,"error":{"code":10011,"text":"No"}}"#),
    ])
    .await;
    let client = stub.client();
    let (ws, node) = place();
    let version = "3v".parse().unwrap();
    let all = client.read_with_key(&ws, &node, Some(&version), None).await.unwrap();
    assert_eq!(bytes(all).await, b"0123456789");
    let rest = client.read_with_key(&ws, &node, None, Some(ByteRange::from(4))).await.unwrap();
    assert_eq!(rest.status, DownloadStatus::Partial { start: 4 });
    let redirected = client.read_with_key(&ws, &node, None, None).await.unwrap_err();
    assert_eq!(redirected.class(), ErrorClass::Broken);
    assert!(store.requests().is_empty());
    let refused = client.read_with_key(&ws, &node, None, None).await.unwrap_err();
    assert!(!refused.is_token_refused());
    assert_eq!(refused.class(), ErrorClass::NeedsHuman(crate::HumanReason::KeyRejected));
    let asked = &stub.requests()[0];
    assert_eq!(asked.line(), "GET /current/workspace/1234567890123456789/storage/2abc/read/?version_id=3v");
    let bearer = format!("Bearer {}", crate::client::stub::KEY);
    assert_eq!(asked.header("authorization"), Some(bearer.as_str()));
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert_eq!(asked.header("accept"), Some("*/*"), "a file need not be JSON");
}

#[tokio::test]
async fn a_part_is_a_part_only_if_it_is_the_one_that_was_asked_for() {
    let stub = Stub::start([
        part("bytes 4-9/10", "456789"),
        part("bytes 4-5/*", "45"),
        part("bytes 8-9/10", "89"),
        reply(200, &[], "0123456789"),
    ])
    .await;
    let rest = read(&stub, Some(ByteRange::from(4))).await.unwrap();
    assert_eq!(rest.status, DownloadStatus::Partial { start: 4 });
    assert_eq!((rest.len, rest.total), (Some(6), Some(10)));
    assert_eq!(bytes(rest).await, b"456789");
    let middle = read(&stub, ByteRange::between(4, 6)).await.unwrap();
    assert_eq!((middle.status, middle.total), (DownloadStatus::Partial { start: 4 }, None));
    let end = read(&stub, ByteRange::between(8, 12)).await.unwrap();
    assert_eq!((end.len, end.total), (Some(2), Some(10)));
    let ignored = read(&stub, Some((4..).into())).await.unwrap();
    assert_eq!(ignored.status, DownloadStatus::Full);
    let ranges: Vec<_> =
        stub.requests().iter().map(|asked| asked.header("range").unwrap().to_owned()).collect();
    assert_eq!(ranges, ["bytes=4-", "bytes=4-5", "bytes=8-11", "bytes=4-"]);
}

#[tokio::test]
async fn wrong_parts_are_broken() {
    let stub = Stub::start([
        part("bytes 0-9/10", "0123456789"),
        part("bytes 4-9/10", "4567"),
        part("", "456789"),
        part("bytes 4-99/10", "456789"),
        part("bytes 4-18446744073709551615/*", "456789"),
    ])
    .await;
    for _ in 0..5 {
        assert_eq!(read(&stub, Some(ByteRange::from(4))).await.unwrap_err().class(), ErrorClass::Broken);
    }
    let stub =
        Stub::start([part("bytes 0-9/10", "0123456789"), reply(200, &[("content-encoding", "gzip")], "x")])
            .await;
    assert_eq!(read(&stub, None).await.unwrap_err().class(), ErrorClass::Broken);
    assert_eq!(read(&stub, None).await.unwrap_err().class(), ErrorClass::Broken);
}

#[tokio::test]
async fn a_refused_token_asks_for_a_new_one_and_is_not_shown() {
    let body = format!(r#"{{"result":false,"error":{{"code":10011,"text":"token {TOKEN} expired"}}}}"#);
    let stub = Stub::start([
        reply(401, &[], &body),
        reply(404, &[], r#"{"result":false,"error":{"code":146950,"text":"Content gone"}}"#),
        reply(416, &[("content-range", "bytes */10")], ""),
        // A store that the service redirects to has error pages of its own.
        reply(403, &[], "<Error><Code>AccessDenied</Code></Error>"),
    ])
    .await;
    let error = read(&stub, None).await.unwrap_err();
    assert!(error.is_token_refused());
    assert_eq!(error.class(), ErrorClass::Retry { after: None });
    assert!(!format!("{error} {error:?}").contains(TOKEN));
    assert_eq!(read(&stub, None).await.unwrap_err().class(), ErrorClass::Gone);
    assert_eq!(read(&stub, Some(ByteRange::from(99))).await.unwrap_err().class(), ErrorClass::Invalid);
    assert!(read(&stub, None).await.unwrap_err().is_token_refused());
}

#[tokio::test]
async fn a_redirect_is_followed_without_telling_where_from() {
    let store = Stub::start([reply(200, &[], "bytes")]).await;
    let target = format!("{}/blob", store.client().base_url());
    let stub = Stub::start([reply(302, &[("location", &target)], "")]).await;
    assert_eq!(bytes(read(&stub, None).await.unwrap()).await, b"bytes");
    let asked = &store.requests()[0];
    assert_eq!(asked.line(), "GET /current/blob");
    assert_eq!((asked.header("referer"), asked.header("authorization")), (None, None));
}

#[tokio::test]
async fn redirects_end_somewhere() {
    let stub = Stub::start((0..10).map(|_| reply(302, &[("location", "/current/again")], ""))).await;
    let error = read(&stub, None).await.unwrap_err();
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert!(!format!("{error:?}").contains(TOKEN));
    assert!(stub.requests().len() <= 7);
}

#[tokio::test]
async fn a_connection_that_ends_early_is_an_error_of_the_stream() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/current", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nx-ve-reqid: req-5\r\ncontent-length: 100\r\n\r\nhalf")
            .await
            .unwrap();
    });
    let key = crate::ApiKeySource::Static(crate::ApiKey::new("k").unwrap());
    let client = crate::client::stub::client_at(&base, key);
    let (ws, node) = place();
    let download = client.read(&ws, &node, &token(), None, None).await.unwrap();
    assert_eq!(download.len, Some(100));
    let error = download.try_for_each(|_| async { Ok(()) }).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry { after: None });
    assert_eq!(error.request_id(), Some("req-5"));
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
}

#[test]
fn an_empty_range_is_no_range() {
    assert_eq!(ByteRange::between(5, 5), None);
    assert!(ByteRange::try_from(5..5).is_err());
    assert_eq!(ByteRange::try_from(0..1).unwrap().text(), "bytes=0-0");
}
