use axum::response::Response;

use super::*;
use crate::ErrorClass;
use crate::client::stub::{Asked, Stub, json};

fn ws() -> WorkspaceId {
    "1234567890123456789".parse().unwrap()
}

fn id(text: &str) -> NodeId {
    text.parse().unwrap()
}

fn page(names: &[&str], rest: &str) -> Response {
    let items: Vec<_> = names
        .iter()
        .map(|name| format!(r#"{{"id":"2{}","type":"file","name":"{name}"}}"#, name.replace('.', "-")))
        .collect();
    let (count, items) = (items.len(), items.join(","));
    json(&format!(r#"{{"result":true,"nodes":{{"count":{count},"items":[{items}]}}{rest}}}"#))
}

#[tokio::test]
async fn pages_are_followed_wherever_the_cursor_is() {
    let stub = Stub::start([
        page(&["a", "b"], r#","pagination":{"has_more":true,"next_cursor":"c/1=","page_size":500}"#),
        page(&["c"], r#","next_cursor":"c2""#),
        json(r#"{"result":true,"nodes":{"count":0,"items":[],"next_cursor":"c3"}}"#),
        page(&["d"], r#","pagination":{"has_more":false,"next_cursor":"ignored"}"#),
    ])
    .await;
    let all = stub.client().list_folder(&ws(), &NodeId::root()).await.unwrap();
    assert_eq!(all.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    let lines: Vec<_> = stub.requests().iter().map(Asked::line).collect();
    let path = "GET /current/workspace/1234567890123456789/storage/root/list/?sort_by=name&sort_dir=asc&page_size=500";
    assert_eq!(
        lines,
        [
            path.to_owned(),
            format!("{path}&cursor=c%2F1%3D"),
            format!("{path}&cursor=c2"),
            format!("{path}&cursor=c3")
        ]
    );
}

#[tokio::test]
async fn pages_that_lead_nowhere_are_broken() {
    let stub = Stub::start([page(&["a"], r#","pagination":{"has_more":true}"#)]).await;
    let error = stub.client().list_folder(&ws(), &NodeId::root()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Broken);

    let again = || page(&["a"], r#","pagination":{"has_more":true,"next_cursor":"same"}"#);
    let stub = Stub::start([again(), again(), again()]).await;
    let error = stub.client().list_folder(&ws(), &NodeId::root()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Broken);
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn a_child_is_found_by_its_exact_name() {
    let first = || page(&["a", "B.jpg"], r#","pagination":{"has_more":true,"next_cursor":"c"}"#);
    let trashed = r#"{"result":true,"nodes":{"items":[
        {"id":"2x","type":"file","name":"b.jpg","deleted":"2026-05-07 09:08:07 UTC"},
        {"id":"2y","type":"file","name":"b.jpg"}]}}"#;
    let stub = Stub::start([first(), json(trashed), first(), first(), page(&[], "")]).await;
    let client = stub.client();
    let root = NodeId::root();
    let found = client.find_child(&ws(), &root, "b.jpg").await.unwrap().unwrap();
    assert_eq!(found.id, id("2y"));
    assert!(client.find_child(&ws(), &root, "a").await.unwrap().is_some());
    assert_eq!(stub.requests().len(), 3, "later pages are not read when an earlier one has the name");
    assert_eq!(client.find_child(&ws(), &root, "z").await.unwrap(), None);
}

#[tokio::test]
async fn the_inventory_is_read_page_by_page() {
    let file =
        |id: &str, path: &str| format!(r#"{{"id":"{id}","type":"file","name":"a.jpg","path":{path}}}"#);
    let stub = Stub::start([
        json(&format!(
            r#"{{"result":true,"nodes":{{"count":2,"items":[{},{}]}},"pagination":{{"has_more":true,"next_cursor":"i2"}}}}"#,
            file("2a", r#""/raw/2026/a.jpg""#),
            file("2b", r#"["raw",{"name":"old"},"a.jpg"]"#),
        )),
        json(&format!(r#"{{"result":true,"nodes":[{}]}}"#, file("2c", "null"))),
        json(r#"{"result":true,"items":[]}"#),
        json(r#"{"result":true,"nodes":{"items":null}}"#),
        json(r#"{"result":true,"nodes":"none"}"#),
        json(r#"{"result":true}"#),
    ])
    .await;
    let client = stub.client();
    let first = client.inventory_page(&ws(), None).await.unwrap();
    let paths: Vec<_> = first.nodes.iter().map(|node| node.path.as_deref().unwrap()).collect();
    assert_eq!(paths, ["/raw/2026/a.jpg", "/raw/old/a.jpg"]);
    let second = client.inventory_page(&ws(), first.next.as_ref()).await.unwrap();
    assert_eq!((second.nodes.len(), &second.nodes[0].path, second.next), (1, &None, None));
    for _ in 0..2 {
        assert!(client.inventory_page(&ws(), None).await.unwrap().nodes.is_empty());
    }
    for _ in 0..2 {
        assert_eq!(client.inventory_page(&ws(), None).await.unwrap_err().class(), ErrorClass::Broken);
    }
    let lines: Vec<_> = stub.requests().iter().map(Asked::line).collect();
    let path =
        "GET /current/workspace/1234567890123456789/storage/inventory/?type=file&include=path&page_size=500";
    assert_eq!(lines[..2], [path.to_owned(), format!("{path}&cursor=i2")]);
}

#[tokio::test]
async fn an_odd_row_is_left_out_of_an_inventory_and_not_of_a_folder() {
    let odd = || {
        json(
            r#"{"result":true,"nodes":{"items":[{"id":"..;","name":"a"},{"id":"2b","name":"b","type":"file"}]}}"#,
        )
    };
    let stub = Stub::start([odd(), odd()]).await;
    let client = stub.client();
    let page = client.inventory_page(&ws(), None).await.unwrap();
    assert_eq!((page.nodes.len(), page.skipped), (1, 1));
    let error = client.list_page(&ws(), &NodeId::root(), None).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Broken);
}
