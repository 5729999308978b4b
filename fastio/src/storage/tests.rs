use super::*;
use crate::ErrorClass;
use crate::client::stub::{Stub, json, reply};

fn ws() -> WorkspaceId {
    "1234567890123456789".parse().unwrap()
}

fn id(text: &str) -> NodeId {
    text.parse().unwrap()
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

#[tokio::test]
async fn nodes_are_moved_and_renamed() {
    let stub = Stub::start([
        json(r#"{"result":true,"node":{"id":"2a","type":"file","name":"a (2).jpg","parent":"2f"}}"#),
        json(r#"{"result":true,"node":{"id":"2a","type":"file","name":"b.jpg"}}"#),
        reply(409, &[], r#"{"result":false,"error":{"code":1660,"text":"Taken"}}"#),
    ])
    .await;
    let client = stub.client();
    assert_eq!(client.move_node(&ws(), &id("2a"), &id("2f")).await.unwrap().name, "a (2).jpg");
    assert_eq!(client.rename_node(&ws(), &id("2a"), "b.jpg").await.unwrap().name, "b.jpg");
    let taken = client.rename_node(&ws(), &id("2a"), "c.jpg").await.unwrap_err();
    assert_eq!(taken.class(), ErrorClass::Conflict);
    assert_eq!(client.rename_node(&ws(), &id("2a"), "a/b").await.unwrap_err().class(), ErrorClass::Invalid);
    let asked = stub.requests();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].line(), "POST /current/workspace/1234567890123456789/storage/2a/move/");
    assert_eq!(asked[0].form(), [("parent".to_owned(), "2f".to_owned())]);
    assert_eq!(asked[1].line(), "POST /current/workspace/1234567890123456789/storage/2a/update/");
    assert_eq!(asked[1].form(), [("name".to_owned(), "b.jpg".to_owned())]);
}

#[tokio::test]
async fn a_search_answers_with_a_map_from_id_to_node() {
    let stub = Stub::start([
        json(
            r#"{"result":true,"files":{
                "2ltsu-q4mja":{"name":"a.jpg","parent_id":"2f","type":"file","size":"17","mimetype":"image/jpeg",
                    "modified":"2026-05-07 09:08:07 UTC"},
                "2b":{"name":"raw","parent_id":"","type":"folder","size":null}},
                "pagination":{"total":9,"limit":2,"offset":0,"has_more":true}}"#,
        ),
        json(r#"{"result":true,"files":[],"pagination":{"has_more":false}}"#),
        json(r#"{"result":true,"results":[{"node_id":"2c","name":"c","type":"file"},{"id":"2d","name":"d","parent":"2f"}]}"#),
        json(r#"{"result":true,"files":{"a/b":{"name":"x"}}}"#),
        json(r#"{"result":true,"files":7}"#),
        json(r#"{"result":true,"results":[{"name":"x"}]}"#),
    ])
    .await;
    let client = stub.client();
    let page = client.search_files(&ws(), "a b&c", 2, 4).await.unwrap();
    assert!(page.has_more);
    let file = &page.found[&id("2ltsuq4mja")];
    assert_eq!((file.name.as_str(), file.kind, file.size), ("a.jpg", NodeKind::File, Some(17)));
    assert_eq!((&file.parent, file.mimetype.as_deref()), (&Some(id("2f")), Some("image/jpeg")));
    assert!(file.modified.is_some());
    assert_eq!((page.found[&id("2b")].kind, &page.found[&id("2b")].parent), (NodeKind::Folder, &None));
    let none = client.search_files(&ws(), "z", 500, 0).await.unwrap();
    assert!(none.found.is_empty() && !none.has_more);
    let list = client.search_files(&ws(), "z", 500, 0).await.unwrap().found;
    assert_eq!(list[&id("2c")].name, "c");
    assert_eq!(list[&id("2d")].parent, Some(id("2f")));
    for _ in 0..3 {
        assert_eq!(client.search_files(&ws(), "z", 1, 0).await.unwrap_err().class(), ErrorClass::Broken);
    }
    for (text, limit) in [(" ", 1), ("x", 0), ("x", 501)] {
        let error = client.search_files(&ws(), text, limit, 0).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Invalid);
    }
    assert_eq!(stub.requests().len(), 6);
    assert_eq!(
        stub.requests()[0].line(),
        "GET /current/workspace/1234567890123456789/storage/search/?search=a+b%26c&limit=2&offset=4"
    );
}

#[tokio::test]
async fn versions_are_listed() {
    let stub = Stub::start([
        json(
            r#"{"result":true,"versions":[
                {"id":"3new","current":true,"size":"9","hash":"AB","hash_algo":"sha256","crc32c":"e3069283",
                 "created":"2026-05-07 09:08:07 UTC","creator":1234567890123456789},
                {"version_id":"3old","creator":{"id":"5"}}]}"#,
        ),
        json(r#"{"result":true,"versions":[{"size":1}]}"#),
    ])
    .await;
    let client = stub.client();
    let versions = client.versions(&ws(), &id("2a")).await.unwrap();
    assert_eq!(versions[0].id, "3new".parse().unwrap());
    assert_eq!((versions[0].size, versions[0].crc32c), (Some(9), Some(0xe306_9283)));
    assert_eq!(versions[0].hash.as_ref().unwrap().value, "ab");
    assert_eq!(versions[0].creator, Some("1234567890123456789".parse().unwrap()));
    assert_eq!((&versions[1].id, versions[1].size), (&"3old".parse().unwrap(), None));
    assert_eq!(versions[1].creator, Some("5".parse().unwrap()));
    assert_eq!(client.versions(&ws(), &id("2a")).await.unwrap_err().class(), ErrorClass::Broken);
    assert_eq!(stub.requests()[0].line(), "GET /current/workspace/1234567890123456789/storage/2a/versions/");
}
