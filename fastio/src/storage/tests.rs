use axum::response::Response;

use super::*;
use crate::ErrorClass;
use crate::client::stub::{Stub, json, reply};

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
async fn one_node() {
    let stub = Stub::start([
        json(r#"{"result":true,"format":"single","node":{"id":"2abc","type":"file","name":"a.jpg"}}"#),
        reply(404, &[], r#"{"result":false,"error":{"code":133123,"text":"Node not found"}}"#),
    ])
    .await;
    let client = stub.client();
    assert_eq!(client.node(&ws(), &id("2-abc")).await.unwrap().name, "a.jpg");
    assert_eq!(client.node(&ws(), &id("2-abc")).await.unwrap_err().class(), ErrorClass::Gone);
    assert_eq!(
        stub.requests()[0].line(),
        "GET /current/workspace/1234567890123456789/storage/2-abc/details/"
    );
}

#[tokio::test]
async fn many_nodes_with_an_error_for_each_that_is_missing() {
    let stub = Stub::start([json(
        r#"{"result":true,"format":"multi","nodes":[{"id":"2a","type":"file","name":"a"}],
            "errors":[{"node_id":"2b","code":"133123","message":"Node not found"}],
            "node_count":1,"error_count":1,"requested_count":2}"#,
    )])
    .await;
    let (nodes, errors) = stub.client().nodes(&ws(), &[id("2a"), id("2b")]).await.unwrap();
    assert_eq!((nodes.len(), errors.len()), (1, 1));
    assert_eq!(errors[0].id, id("2b"));
    assert!(errors[0].is_gone());
    assert!(stub.requests()[0].line().ends_with("/storage/2a,2b/details/"));
}

#[tokio::test]
async fn when_every_node_is_missing_the_errors_come_with_a_404() {
    let stub = Stub::start([
        reply(
            404,
            &[],
            r#"{"result":false,"format":"multi","nodes":[],"errors":[{"node_id":"2a","code":133123}]}"#,
        ),
        reply(404, &[], r#"{"result":false,"error":{"code":133123,"text":"Node not found"}}"#),
        json(r#"{"result":true,"format":"single","node":{"id":"2a","type":"file","name":"a"}}"#),
        reply(404, &[], r#"{"result":false,"error":{"code":9992,"text":"Not found"}}"#),
    ])
    .await;
    let client = stub.client();
    let one = [id("2a")];
    for _ in 0..2 {
        let (nodes, errors) = client.nodes(&ws(), &one).await.unwrap();
        assert!(nodes.is_empty());
        assert!(errors[0].is_gone() && errors[0].id == one[0]);
    }
    assert_eq!(client.nodes(&ws(), &one).await.unwrap().0.len(), 1);
    assert_eq!(client.nodes(&ws(), &one).await.unwrap_err().class(), ErrorClass::Broken);
}

#[tokio::test]
async fn the_number_of_nodes_is_bounded_before_the_call() {
    let stub = Stub::start([]).await;
    let client = stub.client();
    assert_eq!(client.nodes(&ws(), &[]).await.unwrap(), (Vec::new(), Vec::new()));
    let error = client.nodes(&ws(), &vec![id("2a"); 26]).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
    assert!(stub.requests().is_empty());
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
    let lines: Vec<_> = stub.requests().iter().map(super::super::client::stub::Asked::line).collect();
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
async fn folders_are_made_and_nodes_deleted() {
    let stub = Stub::start([
        json(r#"{"result":true,"node":{"id":"2f","type":"folder","name":"processed & done"}}"#),
        json(r#"{"result":true}"#),
    ])
    .await;
    let client = stub.client();
    let folder = client.create_folder(&ws(), &NodeId::root(), "processed & done").await.unwrap();
    client.delete_node(&ws(), &folder.id).await.unwrap();
    let asked = stub.requests();
    assert_eq!(asked[0].line(), "POST /current/workspace/1234567890123456789/storage/root/createfolder/");
    assert_eq!(asked[0].form(), [("name".to_owned(), "processed & done".to_owned())]);
    assert_eq!(asked[1].line(), "DELETE /current/workspace/1234567890123456789/storage/2f/delete/");
}

#[tokio::test]
async fn names_that_are_no_names_are_refused_before_the_call() {
    let stub = Stub::start([]).await;
    let client = stub.client();
    for name in ["", ".", "..", "a/b", "a\nb", &"x".repeat(256)] {
        let error = client.create_folder(&ws(), &NodeId::root(), name).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Invalid);
        assert!(error.to_string().contains("name: "), "{error}");
    }
    assert!(stub.requests().is_empty());
}
