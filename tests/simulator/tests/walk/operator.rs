//! Rows B1 to B5: the change feed, the retired webhook API, the sender, agreement of the events, faults.

use reqwest::Method;
use serde_json::json;

use super::files::upload;
use crate::table::{Row, control, delete, fault, get, patch, post};

pub(crate) fn feed() -> Vec<Row> {
    let changes = |query: &str| get("B1", &format!("/org/{{org}}/events/changes/{query}"));
    let folder = |name: &str| post("B1", "{s}/root/createfolder/").form(&[("name", name)]);
    vec![
        changes("")
            .equals("/changes", json!([]))
            .equals("/has_more", false)
            .has(&["/profiles/items/0/id"])
            .save("from", "/cursor"),
        folder("one"),
        folder("two").save("two", "/node/id"),
        folder("three"),
        changes("?limit=2&cursor={from}")
            .equals("/has_more", true)
            .equals("/changes/0/event", "workspace_storage_folder_created")
            .equals("/changes/0/profile_id", "{ws}")
            .equals("/changes/0/profile_type", "workspace")
            .equals("/changes/1/object_id", "{two}")
            .has(&["/changes/0/event_id", "/changes/0/created"])
            .save("next", "/cursor"),
        changes("?limit=2&cursor={next}")
            .equals("/has_more", false)
            .has(&["/changes/0"])
            .save("last", "/cursor"),
        changes("?cursor={last}").equals("/changes", json!([])).equals("/has_more", false),
        control("B1", Method::POST, "/control/faults", json!({ "kind": "stall_feed", "workspace": "{org}" })),
        changes("?cursor={from}")
            .equals("/changes", json!([]))
            .equals("/has_more", true)
            .equals("/cursor", "{from}"),
        changes("?cursor=nonsense").refused(406, 158_008),
        // A cursor is bound to who reads.
        control("B1", Method::POST, "/control/api-keys", json!({ "key": "bob", "user": "Bob" })),
        changes("?cursor={from}").with_key("bob").refused(406, 158_008),
        changes("").with_key("narrow").refused(403, 135_626),
        get("B1", "/org/{other_org}/events/changes/").refused(403, 135_626),
        changes("?limit=1001").refused(406, 207_321),
        changes("?limit=0").refused(406, 207_321),
        fault_of_feed(json!({ "status": 503, "reason": "changes_unavailable" })),
        changes("?cursor={from}").refused(503, 0).equals("/error/params/reason", "changes_unavailable"),
        fault_of_feed(json!({ "status": 406, "code": 187_907, "reason": "cursor_expired" })),
        changes("?cursor={from}").refused(406, 187_907).equals("/error/params/reason", "cursor_expired"),
        changes("?cursor={from}").has(&["/changes/2"]),
    ]
}

/// A failure of the feed, which is about no single workspace.
fn fault_of_feed(mut fault: serde_json::Value) -> Row {
    fault["kind"] = "fail".into();
    fault["operation"] = "events.changes".into();
    control("B1", Method::POST, "/control/faults", fault)
}

/// The API that is gone, in a world that still has it.
pub(crate) fn retired() -> Vec<Row> {
    let all = "/workspace/{ws}/outbound_webhook_subscriptions/";
    let one = "/outbound_webhook_subscriptions/{sub}/";
    let added = r#"["workspace_storage_file_added"]"#;
    let mut rows = vec![
        get("B2", "/workspaces/{ws}/webhooks/").refused(404, 9992),
        post("B2", all)
            .form(&[("target_url", "http://hooks.example.com/"), ("event_type_subscriptions", added)])
            .refused(406, 1605),
        post("B2", all)
            .form(&[("target_url", "https://10.0.0.1/"), ("event_type_subscriptions", added)])
            .refused(406, 1605),
        post("B2", all).form(&[("target_url", "https://hooks.example.com/")]).refused(406, 1605),
        post("B2", all)
            .form(&[
                ("target_url", "https://hooks.invalid/in"),
                ("event_type_subscriptions", added),
                ("description", "first"),
                ("rate_limit_per_hour", "10"),
            ])
            .has(&["/outbound_webhook_subscription/secret"])
            .equals("/outbound_webhook_subscription/enabled", true)
            .save("sub", "/outbound_webhook_subscription/id")
            .save("secret", "/outbound_webhook_subscription/secret"),
        get("B2", all)
            .equals("/outbound_webhook_subscriptions/0/id", "{sub}")
            .equals("/outbound_webhook_subscriptions/0/rate_limit_per_hour", 10),
        get("B2", one).equals("/outbound_webhook_subscription/target_url", "https://hooks.invalid/in"),
        patch("B2", one)
            .form(&[("description", "second"), ("enabled", "false")])
            .equals("/outbound_webhook_subscription/description", "second")
            .equals("/outbound_webhook_subscription/enabled", false),
        patch("B2", one).form(&[("enabled", "true")]).equals("/outbound_webhook_subscription/enabled", true),
        patch("B2", one).form(&[("target_url", "https://other.invalid/")]).refused(406, 1605),
        post("B2", "/outbound_webhook_subscriptions/{sub}/rotate_secret/")
            .form(&[])
            .has(&["/outbound_webhook_subscription/secret"]),
    ];
    rows.extend(upload("B2", "a.txt", b"one", "file"));
    rows.extend(upload("B2", "a.txt", b"three", "file"));
    rows.extend(vec![
        // Only the event that was subscribed to is delivered.
        control("B2", Method::GET, "/control/deliveries?workspace={ws}", json!({}))
            .status(200)
            .equals("/deliveries/0/event_type", "upload")
            .equals("/deliveries/0/webhook_id", "{sub}"),
        delete("B2", one),
        get("B2", one).refused(404, 1609),
        get("B2", all).equals("/outbound_webhook_subscriptions", json!([])),
    ]);
    rows
}

/// The sender is told where to send, and its events are those of search and feed. (What it sends has
/// tests of its own.)
pub(crate) fn sender() -> Vec<Row> {
    let endpoint = json!({
        "workspace": "{ws}", "url": "http://127.0.0.1:9/", "secret": "a secret that is long enough",
        "scheme": "stamped-base64", "payload": "events",
    });
    let mut rows = vec![
        control("B3", Method::POST, "/control/webhooks", endpoint).save("hook", "/id"),
        get("B4", "/org/{org}/events/changes/").save("from", "/cursor"),
    ];
    rows.extend(upload("B4", "agreed.txt", b"agreed", "agreed"));
    rows.extend(vec![
        get("B4", "/org/{org}/events/changes/?cursor={from}")
            .equals("/changes/0/object_id", "{agreed}")
            .save("event", "/changes/0/event_id"),
        control("B3", Method::GET, "/control/deliveries?workspace={ws}", json!({}))
            .status(200)
            .equals("/deliveries/0/event_id", "{event}")
            .equals("/deliveries/0/webhook_id", "{hook}"),
        get("B4", "/events/search/?workspace_id={ws}&object_id={agreed}")
            .equals("/events/0/event_id", "{event}"),
        control("B3", Method::DELETE, "/control/webhooks/{hook}", json!({})).status(204),
    ]);
    rows
}

pub(crate) fn faults() -> Vec<Row> {
    let fails = |status: u16, extra: serde_json::Value| {
        let mut given = json!({ "kind": "fail", "operation": "storage.details", "status": status });
        for (name, value) in extra.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        fault("B5", given)
    };
    let details = || get("B5", "{s}/{agreed}/details/");
    let mut rows = vec![
        fails(429, json!({ "code": 1671, "limit_expires": 5 })),
        details().refused(429, 1671),
        fails(429, json!({ "code": 1671, "limit_expires": 5, "limit_form": "date" })),
        details().refused(429, 1671),
    ];
    for status in [500, 502, 503, 504] {
        rows.push(fails(status, json!({ "code": 146_256 })));
        rows.push(details().refused(status, 146_256));
    }
    rows.extend(vec![
        fails(402, json!({ "code": 1688, "reason": "credits_exhausted" })),
        details().refused(402, 1688).equals("/error/params/reason", "credits_exhausted"),
        fails(403, json!({ "code": 10_767 })),
        details().refused(403, 10_767),
        fault("B5", json!({ "kind": "truncate", "after_bytes": 3 })),
        get("B5", "{s}/{agreed}/read/").broken(),
        fault("B5", json!({ "kind": "envelope" })),
        details().result("yes").equals("/response/node/id", "{agreed}"),
        control("B5", Method::DELETE, "/control/faults?workspace={ws}", json!({})).status(204),
        fault("B5", json!({ "kind": "expire_token" })),
        get("B5", "{s}/{agreed}/requestread/").save("token", "/token"),
        get("B5", "{s}/{agreed}/read/?token={token}").without_key().refused(401, 10_011),
        fault("B5", json!({ "kind": "replace_file", "content": "another version" })),
        get("B5", "{s}/{agreed}/requestread/").save("token", "/token"),
        get("B5", "{s}/{agreed}/read/?token={token}").without_key().bytes("text/plain", b"another version"),
        fault("B5", json!({ "kind": "fail_assembly" })),
        post("B5", "/upload/")
            .parts(
                &[("name", "x"), ("size", "1"), ("action", "create"), ("instance_id", "{ws}")],
                &[("chunk", b"x")],
            )
            .save("upload", "/id"),
        get("B5", "/upload/{upload}/details/?wait=10").equals("/session/status", "assembly_failed"),
        post("B5", "/upload/")
            .form(&[("name", "x"), ("size", "1"), ("action", "create"), ("instance_id", "{ws}")])
            .save("upload", "/id"),
        fault("B5", json!({ "kind": "lose_session" })),
        post("B5", "/upload/{upload}/chunk/?order=1&size=1")
            .parts(&[], &[("chunk", b"x")])
            .refused(404, 1609),
    ]);
    rows
}

/// As the live service has it: no webhooks; and what older documents say.
pub(crate) fn variants() -> Vec<Row> {
    vec![
        get("B2", "/workspace/{ws}/outbound_webhook_subscriptions/").refused(404, 9992),
        post("B2", "/workspaces/{ws}/webhooks/").form(&[("url", "http://x/")]).refused(404, 9992),
        post("A9", "/upload/")
            .parts(
                &[("name", "x.txt"), ("size", "5"), ("action", "create"), ("instance_id", "{ws}")],
                &[("chunk", b"01234")],
            )
            .save("upload", "/id")
            .save("file", "/new_file_id"),
        get("A14", "/upload/{upload}/details/")
            .equals("/session/status", "stored")
            .equals("/session/new_file_id", "{file}"),
        get("A19", "{s}/{file}/read/").header("Range", "bytes=3-").bytes("text/plain", b"01234"),
    ]
}
