use serde_json::json as value;

use super::*;
use crate::ErrorClass;
use crate::client::stub::{Stub, json};

fn place() -> (WorkspaceId, NodeId) {
    ("1234567890123456789".parse().unwrap(), "2abc".parse().unwrap())
}

#[tokio::test]
async fn a_comment_is_written_as_json() {
    let stub = Stub::start([json(
        r#"{"result":true,"comment":{"id":"cabcd-efghi","entity_id":"1","profile_id":1234567890123456789,
            "parent_id":null,"body":"done","properties":{"marker":"m1"},"created":"2026-05-07 09:08:07.123456 UTC"}}"#,
    )])
    .await;
    let (ws, node) = place();
    let new = NewComment { body: "done".to_owned(), properties: Some(value!({"marker": "m1"})) };
    let comment = stub.client().create_comment(&ws, &node, new).await.unwrap();
    assert_eq!(comment.id, "cabcdefghi".parse().unwrap());
    assert_eq!(comment.author, Some("1234567890123456789".parse().unwrap()));
    assert_eq!(comment.properties.get("marker"), Some(&value!("m1")));
    assert_eq!(comment.parent, None);
    let asked = &stub.requests()[0];
    assert_eq!(asked.line(), "POST /current/comments/workspace/1234567890123456789/2abc/");
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.text(), r#"{"body":"done","properties":{"marker":"m1"}}"#);
}

#[tokio::test]
async fn every_page_is_read_with_and_without_a_word_about_more() {
    let page = |from: usize, count: usize, rest: &str| {
        let list: Vec<_> = (from..from + count).map(|n| format!(r#"{{"id":"c{n}","body":"{n}"}}"#)).collect();
        json(&format!(r#"{{"result":true,"comments":[{}]{rest}}}"#, list.join(",")))
    };
    let (ws, node) = place();
    let stub = Stub::start([
        page(0, 2, r#","pagination":{"has_more":true}"#),
        page(2, 1, r#","pagination":{"has_more":false}"#),
    ])
    .await;
    assert_eq!(stub.client().comments(&ws, &node).await.unwrap().len(), 3);
    assert!(stub.requests()[1].line().ends_with("/?limit=200&offset=2"));

    let stub = Stub::start([page(0, 200, ""), page(200, 5, "")]).await;
    assert_eq!(stub.client().comments(&ws, &node).await.unwrap().len(), 205);
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test]
async fn properties_come_in_several_forms() {
    let stub = Stub::start([json(
        r#"{"result":true,"comments":[{"id":"c1","body":null,"properties":"{\"a\":1}"},{"id":"c2","properties":[]},
            {"id":"c3","properties":null}]}"#,
    )])
    .await;
    let (ws, node) = place();
    let comments = stub.client().comments(&ws, &node).await.unwrap();
    assert_eq!(comments[0].properties.get("a"), Some(&value!(1)));
    assert!(comments[1].properties.is_empty() && comments[2].properties.is_empty());
}

#[tokio::test]
async fn a_comment_that_is_too_long_is_refused_before_the_call() {
    let stub = Stub::start([]).await;
    let (ws, node) = place();
    for body in [String::new(), " \n".to_owned(), "x".repeat(501), "@[user:1:x]".repeat(1_000)] {
        let new = NewComment { body, properties: None };
        let error = stub.client().create_comment(&ws, &node, new).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Invalid);
    }
    assert!(stub.requests().is_empty());
}

#[test]
fn mentions_count_as_the_name_that_is_shown() {
    assert_eq!(displayed_chars("hi @[user:1234567890123456789:Ann] there"), "hi @Ann there".len());
    assert_eq!(displayed_chars("@[user:1:A:B]"), "@A:B".len());
    for plain in ["", "@[", "@[x]", "a @[user:1 b", "]@", "@[@[user:1"] {
        assert_eq!(displayed_chars(plain), plain.len(), "{plain}");
    }
    assert_eq!(displayed_chars("\u{e4}\u{1f389}"), 2);
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let short = "x".repeat(500);
    assert!(matches!(truncate_displayed(&short), Cow::Borrowed(text) if text == short));
    for unit in ["x", "\u{e4}", "\u{1f389}", "x "] {
        let cut = truncate_displayed(&unit.repeat(600)).into_owned();
        assert!(cut.ends_with('\u{2026}'), "{cut}");
        assert!(check(&cut).is_ok(), "{cut}");
        assert!(cut.chars().count() >= 499);
    }
    let mention = format!("{}@[user:1:Somebody] {}", "x".repeat(490), "y".repeat(100));
    assert_eq!(truncate_displayed(&mention), format!("{}\u{2026}", "x".repeat(490)));
    let many = "@[user:1:x]".repeat(1_000);
    assert!(check(&truncate_displayed(&many)).is_ok());
}
