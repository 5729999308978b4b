//! Rows that cannot be read, which the simulated Fast.io does not have: one of them does not hold up the others for ever.

use fastio::{ApiKeySource, Client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::feed::changes::{Paged, Then};
use crate::feed::rows::FILE_EVENTS;
use crate::feed::search::Search;
use crate::world::world;

/// A service that answers everything with this.
pub(super) async fn answering(body: String) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/current", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut call, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(call.read_u8().await.unwrap());
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            call.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Client::new(base.parse().unwrap(), ApiKeySource::Static("a-key-of-somebody".parse().unwrap())).unwrap()
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out_and_counted() {
    let world = world(vec![photos()]).await;
    let (registry, metrics) = metrics();
    let feed = Feed { metrics, ..world.feed(Follow::Net) };
    let (file, workspace) = (world.put("beach.jpg").await, world.fastio.workspace.clone());
    let row = format!(
        r#"{{"event_id":"evt-1","event":"workspace_storage_file_added","object_id":"{file}","profile_id":"{workspace}"}}"#
    );
    let counted = |rows| assert!(encoded(&registry).contains(&format!("feed_unreadable_rows_total {rows}")));

    let changes = format!(r#"{{"result":true,"changes":[{{"event":7}},{row}],"cursor":"next"}}"#);
    let feed = Feed { client: answering(changes).await, ..feed };
    let (org, cursor) = ("123".parse().unwrap(), serde_json::from_str("\"last\"").unwrap());
    let paged = feed.page_of_changes(&workspace, &org, &cursor).await.unwrap();
    let Paged::Page { next, then: Then::Rest, .. } = paged else { panic!("{paged:?}") };
    assert_eq!((world.started_names(), next.as_str()), (vec!["beach.jpg".to_owned()], "next"));
    counted(1);

    let log = format!(r#"{{"result":true,"events":[{{"event":7}},8,{row}],"pagination":[]}}"#);
    let feed = Feed { client: answering(log).await, ..feed };
    let search = Search::new(Timestamp::UNIX_EPOCH, []);
    let paged = feed.page_of_search(&workspace, &search, &FILE_EVENTS).await.unwrap();
    assert!(matches!(paged, Paged::Page { then: Then::Rest, .. }), "{paged:?}");
    assert_eq!(world.started_names(), ["beach.jpg"]);
    counted(3);

    let node = format!(r#"{{"id":"{file}","type":"file","name":"beach.jpg"}}"#);
    let listing = format!(r#"{{"result":true,"nodes":{{"items":[{{"id":"..;","name":"a"}},{node}]}}}}"#);
    let feed = Feed { client: answering(listing).await, ..feed };
    relisted(&feed, Timestamp::now()).await;
    assert_eq!(world.started_names(), ["beach.jpg"]);
    counted(4);
}
