//! Every call ends: one that is not connected, one that is not answered, a download that stops. The clock of the runtime
//! stands still and jumps to what comes next, so that nobody waits.

use std::future::{Future, pending};
use std::slice::Iter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::time::{self, Instant};

use super::super::stub::{Stub, client_at, reply};
use super::key;
use crate::{Client, Download, DownloadToken, Error, ErrorClass, NodeId, UploadId, WorkspaceId};

const ID: &str = "HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n{\"result\":true,\"id\":\"1\"}";
const TOKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{\"result\":true,\"token\":\"t\"}";
const FULL: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfull";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";

fn place() -> (WorkspaceId, NodeId) {
    ("1234567890123456789".parse().unwrap(), "2abc".parse().unwrap())
}

/// A service that gives these answers, one to each request on whatever connection, and then nothing any more. Behind the last
/// one it says another byte for each drop.
async fn silent_after(answers: &'static [&'static str]) -> (Client, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/current", listener.local_addr().unwrap());
    let left = Arc::new(Mutex::new(answers.iter()));
    let drops = Arc::new(Notify::new());
    let falling = drops.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(socket, left.clone(), falling.clone()));
        }
    });
    (client_at(&base, key()), drops)
}

async fn serve(mut socket: TcpStream, left: Arc<Mutex<Iter<'static, &'static str>>>, drops: Arc<Notify>) {
    while socket.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {
        let next = left.lock().unwrap().next();
        let Some(answer) = next else { return pending().await };
        socket.write_all(answer.as_bytes()).await.unwrap();
        let is_last = left.lock().unwrap().len() == 0;
        if is_last {
            return drip(socket, &drops).await;
        }
    }
}

async fn drip(mut socket: TcpStream, drops: &Notify) {
    drops.notified().await;
    while socket.write_all(b".").await.is_ok() {
        drops.notified().await;
    }
}

/// The seconds after which a call ends, which must be with an error that tells to try again.
async fn seconds<T>(call: impl Future<Output = Result<T, Error>>) -> u64 {
    time::pause();
    let start = Instant::now();
    let outcome = time::timeout(Duration::from_mins(10), call).await.unwrap();
    let took = start.elapsed();
    time::resume();
    assert_retried(outcome);
    (took + Duration::from_millis(500)).as_secs()
}

fn assert_retried<T>(outcome: Result<T, Error>) {
    let error = outcome.err().unwrap();
    assert_eq!(error.class(), ErrorClass::Retry { after: None }, "{error}");
}

/// Lets a drop fall, and then 20 s pass. (A clock that jumps by itself would not wait for the drop to arrive.)
async fn drop_by(drops: &Notify) {
    drops.notify_one();
    time::sleep(Duration::from_millis(5)).await;
    time::pause();
    time::advance(Duration::from_secs(20)).await;
    time::resume();
}

/// A call whose answer goes on in drops ends, though it is never silent for long.
async fn ends_in_drops<T>(drops: &Notify, call: impl Future<Output = Result<T, Error>>) {
    // Some of them fall before the answer has begun, on a machine that has much to do.
    let raining = async {
        for _ in 0..40 {
            drop_by(drops).await;
        }
    };
    let (outcome, ()) = tokio::join!(time::timeout(Duration::from_mins(13), call), raining);
    assert_retried(outcome.unwrap());
}

#[tokio::test]
async fn a_call_that_is_not_answered_ends() {
    let (ws, _) = place();
    let upload: UploadId = "5abc".parse().unwrap();
    let silent = || async {
        let (client, _) = silent_after(&[ID]).await;
        // Connected, so that nothing but the answer is waited for.
        client.auth_check().await.unwrap();
        client
    };
    assert_eq!(seconds(silent().await.auth_check()).await, 30);
    assert_eq!(seconds(silent().await.complete_upload(&upload)).await, 30);
    // A long poll gets its wait on top, and a body time by its size: 128 KiB in a second.
    let client = silent().await;
    assert_eq!(seconds(client.poll_activity(&ws, None, Duration::from_mins(2))).await, 95 + 30);
    assert_eq!(seconds(silent().await.upload_status(&upload, Duration::from_mins(1))).await, 60 + 30);
    let chunk = vec![0; 1024 * 1024];
    assert_eq!(seconds(silent().await.put_chunk(&upload, 1, chunk.into())).await, 8 + 30);
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    let (client, drops) = silent_after(&[ID, HALF]).await;
    client.auth_check().await.unwrap();
    ends_in_drops(&drops, client.auth_check()).await;
}

#[tokio::test]
async fn a_connection_that_is_not_made_is_given_up() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // One connection may wait for being accepted, which nobody does: the next is not answered.
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let _waiting = std::net::TcpStream::connect(address).unwrap();
    let client = client_at(&format!("http://{address}/current"), key());
    assert_eq!(seconds(client.complete_upload(&"5abc".parse().unwrap())).await, 10);
}

async fn token(client: &Client) -> DownloadToken {
    let (ws, node) = place();
    client.download_token(&ws, &node, None).await.unwrap()
}

async fn read(client: &Client, token: &DownloadToken, by_token: bool) -> Result<Download, Error> {
    let (ws, node) = place();
    if by_token {
        client.read(&ws, &node, token, None, None).await
    } else {
        client.read_with_key(&ws, &node, None, None).await
    }
}

#[tokio::test]
async fn a_download_that_falls_silent_ends() {
    for by_token in [true, false] {
        let (client, _) = silent_after(&[TOKEN, HALF]).await;
        let token = token(&client).await;
        let mut download = read(&client, &token, by_token).await.unwrap();
        assert_eq!(download.next().await.unwrap().unwrap(), "half");
        assert_eq!(seconds(async { download.next().await.unwrap() }).await, 30, "by token: {by_token}");
    }
}

#[tokio::test]
async fn a_download_that_does_not_begin_ends() {
    for by_token in [true, false] {
        let (client, _) = silent_after(&[TOKEN, FULL]).await;
        let token = token(&client).await;
        // To its end, so that the connection is free for the next.
        assert_eq!(read(&client, &token, by_token).await.unwrap().count().await, 1);
        assert_eq!(seconds(read(&client, &token, by_token)).await, 30, "by token: {by_token}");
    }
}

#[tokio::test]
async fn the_error_page_of_a_download_ends() {
    const PAGE: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\n";
    for by_token in [true, false] {
        let (client, drops) = silent_after(&[TOKEN, PAGE]).await;
        let token = token(&client).await;
        ends_in_drops(&drops, read(&client, &token, by_token)).await;
    }
}

#[tokio::test]
async fn a_slow_download_goes_on() {
    let (client, drops) = silent_after(&[TOKEN, HALF]).await;
    let token = token(&client).await;
    let mut download = read(&client, &token, true).await.unwrap();
    assert_eq!(download.next().await.unwrap().unwrap(), "half");
    // Longer than any call may take.
    for _ in 0..10 {
        drop_by(&drops).await;
        assert_eq!(download.next().await.unwrap().unwrap(), ".");
    }
}

#[tokio::test]
async fn a_download_never_goes_from_https_to_http() {
    let store = Stub::start([reply(200, &[], "bytes")]).await;
    let target = store.client().base_url().to_string();
    let redirect = || reply(302, &[("location", &target)], "");
    let stub = Stub::start([redirect(), redirect()]).await;
    // The redirect alone decides, so a service without TLS may give it.
    let ask = |base: &str| {
        let client = client_at(base, key());
        let url = stub.client().base_url().to_string();
        async move { client.inner.downloads.get(url).send().await }
    };
    let error = ask("https://api.fast.io/current").await.unwrap_err();
    assert!(format!("{error:?}").contains("redirect from https to http"), "{error:?}");
    assert!(store.requests().is_empty());
    ask("http://fastio.internal/current").await.unwrap();
    assert_eq!(store.requests().len(), 1);
}
