//! Rows 22 to 24: the event log and the long poll.

use reqwest::Method;
use serde_json::json;

use crate::table::{Row, control, get, post};

pub(crate) fn rows() -> Vec<Row> {
    // Searches are limited for each key.
    let mut rows = vec![
        control("A22", Method::POST, "/control/api-keys", json!({ "key": "reader" })),
        control(
            "A22",
            Method::POST,
            "/control/api-keys",
            json!({ "key": "narrow", "user": "Ann", "rights": { "events_search": false, "org_changes": false } }),
        ),
    ];
    rows.extend(
        [
            get("A22", "/events/search/?workspace_id={ws}&created-min=2020-01-01 00:00:00&limit=2")
                .has(&["/events/0/event_id", "/events/0/event", "/events/0/object_id", "/events/0/created"])
                .has(&["/events/0/sub_category", "/events/0/calling_user", "/pagination/next_cursor"])
                .equals("/events/0/category", "workspace")
                .equals("/events/0/workspace_id", "{ws}")
                .equals("/pagination/has_more", true)
                .equals("/pagination/page_size", 2)
                .save("event", "/events/0/event_id")
                .save("next", "/pagination/next_cursor"),
            get("A22", "/events/search/?workspace_id={ws}&limit=2&cursor={next}")
                .has(&["/events/1/event_id"]),
            get("A22", "/events/search/").refused(406, 10_262),
            get("A22", "/events/search/?workspace_id=nonsense").refused(406, 10_262),
            get("A22", "/events/search/?workspace_id={ws}&limit=251").refused(406, 207_321),
        ]
        .map(|row| row.with_key("reader")),
    );
    rows.extend(filters());
    rows.extend(vec![
        get("A22", "/events/search/?workspace_id={ws}").with_key("narrow").refused(403, 10_767),
        get("A2", "/auth/scopes/").with_key("narrow").equals("/full_access", false),
        get("A23", "/event/{event}/details/")
            .equals("/event/event_id", "{event}")
            .equals("/event/acknowledged", false),
        post("A23", "/event/{event}/ack/").form(&[("event_id", "{event}")]),
        get("A23", "/event/{event}/details/").equals("/event/acknowledged", true),
        get("A23", "/event/evt-missing/details/").refused(404, 1609),
        get("A24", "/activity/poll/{ws}/?wait=1")
            .equals("/activity", json!([]))
            .save("last", "/lastactivity"),
        post("A24", "{s}/root/createfolder/").form(&[("name", "noticed")]).save("noticed", "/node/id"),
        get("A24", "/activity/poll/{ws}/?wait=5&lastactivity={last}")
            .equals("/activity", json!(["storage:{noticed}"]))
            .has(&["/lastactivity"]),
        get("A24", "/activity/poll/{user}/?wait=5&updated=1&lastactivity=2020-01-01 00:00:00 UTC")
            .has(&["/activity/0"]),
        get("A24", "/activity/poll/{ws}/?wait=96").refused(406, 1605),
        get("A24", "/activity/poll/nothing/").refused(404, 1609),
    ]);
    rows
}

/// `visibility`, `parent_event_id` and levels of detail. A key may search five times in three seconds.
fn filters() -> Vec<Row> {
    let mut rows = Vec::new();
    let searches = [
        get("A22", "/events/search/?workspace_id={ws}&limit=1&visibility=external")
            .equals("/events/0/visibility", "external")
            .has(&["/events/0/template", "/events/0/severity", "/events/0/notification"]),
        get("A22", "/events/search/?workspace_id={ws}&visibility=external_audit_log")
            .equals("/events", json!([])),
        get("A22", "/events/search/?workspace_id={ws}&visibility=internal").refused(406, 1605),
        get("A22", "/events/search/?parent_event_id={event}&acknowledged=false&limit=5&offset=0")
            .equals("/events", json!([]))
            .equals("/pagination/has_more", false),
        get("A22", "/events/search/?parent_event_id={event}&workspace_id={ws}").refused(406, 1605),
        get("A22", "/events/search/?parent_event_id={event}&event=comment_created").refused(406, 1605),
        get("A22", "/events/search/?parent_event_id={event}&created-min=2020-01-01 00:00:00")
            .refused(406, 1605),
        get("A22", "/events/search/?workspace_id={ws}&limit=1&output=terse")
            .has(&["/events/0/event_id", "/events/0/event", "/events/0/category"])
            .has(&["/events/0/object_id", "/events/0/created"])
            .lacks("/events/0/sub_category"),
        get("A22", "/events/search/?workspace_id={ws}&limit=1&output=full,later")
            .has(&["/events/0/sub_category"]),
        get("A22", "/events/search/?workspace_id={ws}&output=standard").refused(406, 1605),
        get("A22", "/events/search/?workspace_id={ws}&output=terse,full").refused(406, 1605),
        get("A22", "/events/search/?workspace_id={ws}&offset=9223372036854775807")
            .equals("/events", json!([])),
        get("A22", "/events/search/?workspace_id={ws}&offset=9223372036854775808").refused(406, 1605),
    ];
    for (number, search) in searches.into_iter().enumerate() {
        let key = ["reader-1", "reader-2", "reader-3"][number / 5];
        if number % 5 == 0 {
            rows.push(control("A22", Method::POST, "/control/api-keys", json!({ "key": key })));
        }
        rows.push(search.with_key(key));
    }
    rows.extend([
        get("A23", "/event/{event}/details/?output=terse")
            .equals("/event/event_id", "{event}")
            .lacks("/event/calling_user"),
        get("A23", "/event/{event}/details/?output=full").has(&["/event/calling_user"]),
        get("A23", "/event/{event}/details/?output=markdown").refused(406, 1605),
    ]);
    rows
}
