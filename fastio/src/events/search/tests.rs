use serde_json::json as value;

use super::*;
use crate::ErrorClass;
use crate::client::stub::{Asked, Stub, json, reply};

fn search() -> EventSearch {
    EventSearch::new("1234567890123456789".parse().unwrap())
}

fn cursor(text: &str) -> EventCursor {
    EventCursor(EventPosition::Cursor(text.to_owned()))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn rows_are_read_and_pages_followed() {
    let stub = Stub::start([
        json(
            r#"{"result":true,"events":[{"event_id":"evt-1","event":"workspace_storage_file_added","category":"workspace",
                "sub_category":"transfer","object_id":"2abc","created":"2026-10-05 12:00:00.123456 UTC",
                "calling_user":1234567890123456780,"workspace_id":"1234567890123456789","acknowledged":false}],
                "pagination":{"has_more":true,"next_cursor":"c/2=","page_size":250}}"#,
        ),
        json(
            r#"{"result":true,"events":[{"event_id":7,"event":"comment_created","object_id":null,"calling_user":{"id":"5"}},
                {"event_id":8,"event":"x","object_id":"not an id","workspace_id":[]}],
                "pagination":{"has_more":false,"next_cursor":"left over"}}"#,
        ),
    ])
    .await;
    let client = stub.client();
    let mut asked = search();
    asked.names = vec!["workspace_storage_file_added".to_owned(), "workspace_storage_file_moved".to_owned()];
    let first = client.search_events(&asked, None).await.unwrap();
    let event = &first.events[0];
    assert_eq!((event.id.as_str(), event.name.as_str()), ("evt-1", "workspace_storage_file_added"));
    assert_eq!(event.object, Some("2abc".parse().unwrap()));
    assert_eq!(event.caller, Some("1234567890123456780".parse().unwrap()));
    assert_eq!(event.workspace, Some("1234567890123456789".parse().unwrap()));
    assert_eq!(event.created, Some(at("2026-10-05T12:00:00.123456Z")));
    assert_eq!(first.next, Some(cursor("c/2=")));
    let second = client.search_events(&asked, first.next.as_ref()).await.unwrap();
    assert_eq!((second.events.len(), second.next), (2, None));
    assert_eq!(second.events[0].caller, Some("5".parse().unwrap()));
    assert_eq!((&second.events[1].object, &second.events[1].workspace), (&None, &None));

    let lines: Vec<_> = stub.requests().iter().map(Asked::line).collect();
    let query = "workspace_id=1234567890123456789&limit=250\
                 &event=workspace_storage_file_added%2Cworkspace_storage_file_moved";
    let path = format!("GET /current/events/search/?{query}");
    assert_eq!(lines, [path.clone(), format!("{path}&cursor=c%2F2%3D")]);
}

#[tokio::test]
async fn an_odd_row_does_not_stand_for_its_page() {
    let stub = Stub::start([json(
        r#"{"result":true,"events":[{"event":"no id"},{"event_id":8,"event":"x"}],"pagination":[]}"#,
    )])
    .await;
    let page = stub.client().search_events(&EventSearch { limit: 2, ..search() }, None).await.unwrap();
    assert_eq!((page.events.len(), page.skipped), (1, 1));
    assert_eq!(page.next, Some(offset(2)), "the page was full all the same");
}

#[test]
fn the_dates_have_hyphens_and_never_cut_a_second_off() {
    let asked = EventSearch {
        created_min: Some(at("2026-07-20T09:15:00.999999Z")),
        created_max: Some(at("2026-07-20T09:15:01.000001Z")),
        ..search()
    };
    let expected = [
        ("limit", "250".to_owned()),
        ("created-min", "2026-07-20 09:15:00".to_owned()),
        ("created-max", "2026-07-20 09:15:02".to_owned()),
    ];
    assert_eq!(asked.filters(), expected);
    let whole = EventSearch { created_max: Some(at("2026-07-20T09:15:01Z")), ..search() };
    assert_eq!(whole.filters()[1], ("created-max", "2026-07-20 09:15:01".to_owned()));
    let end = EventSearch { created_max: Some(Timestamp::MAX), ..search() };
    assert_eq!(end.filters()[1].1.len(), "2026-07-20 09:15:01".len());
}

#[test]
fn the_next_page_is_found_in_both_styles() {
    let ask = |pagination: serde_json::Value, current: Option<&EventCursor>, count| {
        let reply = Map::from_iter([("pagination".to_owned(), pagination)]);
        next(&reply, current, count, 10)
    };
    let more = value!({"has_more": true, "next_cursor": "b"});
    assert_eq!(ask(more.clone(), None, 0), Ok(Some(cursor("b"))), "an empty page may be followed by another");
    assert!(ask(more, Some(&cursor("b")), 0).is_err(), "a cursor that does not move would never end");
    let counted = value!({"has_more": true, "total": 35, "limit": 10, "offset": 0});
    assert_eq!(ask(counted.clone(), None, 3), Ok(Some(offset(10))));
    assert_eq!(ask(counted.clone(), Some(&offset(10)), 10), Ok(Some(offset(20))));
    assert!(ask(counted, Some(&cursor("a")), 10).is_err());
    assert_eq!(ask(value!({"has_more": "no", "next_cursor": "b"}), None, 10), Ok(None));
    assert_eq!(ask(value!([]), None, 10), Ok(Some(offset(10))));
    assert_eq!(ask(value!(null), Some(&offset(10)), 10), Ok(Some(offset(20))));
    assert_eq!(ask(value!(null), None, 9), Ok(None));
}

#[tokio::test]
async fn a_search_that_would_be_refused_is_refused_before_the_call() {
    let stub = Stub::start([]).await;
    let client = stub.client();
    let day = "2026-07-20T00:00:00Z";
    for (wrong, field) in [
        (EventSearch { limit: 0, ..search() }, "limit"),
        (EventSearch { limit: 251, ..search() }, "limit"),
        (EventSearch { names: vec!["x".to_owned(); 101], ..search() }, "names"),
        (EventSearch { names: vec!["a,b".to_owned()], ..search() }, "names"),
        (EventSearch { created_min: Some(at(day)), created_max: Some(at(day)), ..search() }, "created_max"),
    ] {
        let error = client.search_events(&wrong, None).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Invalid);
        assert!(error.to_string().contains(&format!("{field}: ")), "{error}");
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn a_key_that_may_not_read_the_log_needs_a_human() {
    let stub = Stub::start([
        reply(403, &[], r#"{"result":false,"error":{"code":10767,"text":"No"}}"#),
        reply(406, &[], r#"{"result":false,"error":{"code":10262,"text":"Wrong scope"}}"#),
        json(r#"{"result":true,"events":"none"}"#),
    ])
    .await;
    let client = stub.client();
    let admin = ErrorClass::NeedsHuman(crate::HumanReason::AdminScopeMissing);
    assert_eq!(client.search_events(&search(), None).await.unwrap_err().class(), admin);
    assert_eq!(client.search_events(&search(), None).await.unwrap_err().class(), ErrorClass::Invalid);
    assert_eq!(client.search_events(&search(), None).await.unwrap_err().class(), ErrorClass::Broken);
}
