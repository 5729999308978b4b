//! Row 21: comments.

use serde_json::json;

use super::files::upload;
use crate::table::{Row, delete, get, post};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = upload("A9", "talk.txt", b"talk", "talk");
    let mention = format!("@[user:{{user}}:Ann] {}", "x".repeat(480));
    rows.extend(vec![
        post("A21", "/comments/workspace/{ws}/{talk}/")
            .json(json!({ "body": "hello", "properties": { "marker": "x" }, "reference": { "page": 2 } }))
            .equals("/comment/body", "hello")
            .equals("/comment/entity_id", "{ws}")
            .equals("/comment/profile_id", "{user}")
            .equals("/comment/parent_id", json!(null))
            .equals("/comment/properties/marker", "x")
            .equals("/comment/reference/page", 2)
            .save("comment", "/comment/id"),
        post("A21", "/comments/workspace/{ws}/{talk}/")
            .json(json!({ "body": "a reply", "parent_id": "{comment}" }))
            .equals("/comment/parent_id", "{comment}")
            .save("reply", "/comment/id"),
        post("A21", "/comments/workspace/{ws}/{talk}/")
            .json(json!({ "body": "a reply to the reply", "parent_id": "{reply}" }))
            .equals("/comment/parent_id", "{comment}"),
        post("A21", "/comments/workspace/{ws}/{talk}/").json(json!({ "body": "x".repeat(500) })),
        post("A21", "/comments/workspace/{ws}/{talk}/")
            .json(json!({ "body": "x".repeat(501) }))
            .refused(406, 1605),
        // Markup counts as it is written, and not as it is shown.
        post("A21", "/comments/workspace/{ws}/{talk}/").json(json!({ "body": mention })),
        post("A21", "/comments/workspace/{ws}/{talk}/")
            .json(json!({ "body": format!("@[user:{}:A]", "1".repeat(8_200)) }))
            .refused(406, 1605),
        post("A21", "/comments/workspace/{ws}/{talk}/").json(json!({})).refused(406, 1605),
        get("A21", "/comments/workspace/{ws}/{talk}/?limit=2&sort=asc")
            .equals("/comments/0/id", "{comment}")
            .equals("/pagination/total", 5)
            .equals("/pagination/has_more", true),
        get("A21", "/comments/workspace/{ws}/?sort=desc&limit=2").equals("/comments/0/node_id", "{talk}"),
        get("A21", "/comments/{comment}/details/").equals("/comment/id", "{comment}"),
        post("A21", "/comments/{comment}/update/")
            .json(json!({ "body": "hello again" }))
            .equals("/comment/body", "hello again"),
        post("A21", "/comments/{comment}/reactions/")
            .json(json!({ "emoji": "👍" }))
            .equals("/comment/reactions/0/emoji", "👍"),
        post("A21", "/comments/{comment}/reactions/")
            .json(json!({ "emoji": "🎉" }))
            .equals("/comment/reactions", json!([{ "emoji": "🎉", "user_id": "{user}" }])),
        delete("A21", "/comments/{comment}/reactions/").equals("/comment/reactions", json!([])),
        delete("A21", "/comments/{comment}/reactions/").refused(404, 1609),
        post("A21", "/comments/{comment}/attachments/")
            .json(json!({ "target_ids": ["{talk}"] }))
            .equals("/attachments/0/target_id", "{talk}"),
        get("A21", "/comments/{comment}/attachments/").equals("/attachments/0/name", "talk.txt"),
        post("A21", "/comments/{comment}/attachments/detach/")
            .json(json!({ "target_id": "{talk}" }))
            .equals("/removed", true)
            .equals("/attachments", json!([])),
        post("A21", "/comments/{comment}/attachments/").json(json!({})).refused(406, 1605),
        delete("A21", "/comments/{reply}/delete/").has(&["/comment/deleted"]),
        post("A21", "/comments/bulk/delete/")
            .json(json!({ "comment_ids": ["{comment}", "{reply}"] }))
            .equals("/deleted", json!(["{comment}"]))
            .equals("/errors/0/comment_id", "{reply}"),
        get("A21", "/comments/{comment}/details/").refused(404, 1609),
    ]);
    rows.extend(metadata());
    rows
}

/// Not in the list, but what results are marked with.
fn metadata() -> Vec<Row> {
    vec![
        get("B0", "{s}/{talk}/metadata/facts/").equals("/object_id", "{talk}").equals("/count", 0),
        post("B0", "{s}/{talk}/metadata/facts/")
            .json(json!({ "facts": { "iso": 100, "camera": "X", "note": null } }))
            .equals("/items/0/field", "camera")
            .equals("/items/1/value", 100)
            .has(&["/items/1/declared_type", "/items/1/source"]),
        get("B0", "{s}/{talk}/metadata/details/").has(&["/items/0/updated"]),
        delete("B0", "{s}/{talk}/metadata/?keys=iso").equals("/count", 1),
        get("B0", "{s}/{talk}/metadata/versions/")
            .equals("/versions/0/items/0/field", "camera")
            .equals("/versions/1/items/1/field", "iso")
            .equals("/pagination/total", 2),
    ]
}
