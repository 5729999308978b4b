//! Rows 6 to 8 and 18 to 20: storage and downloads, in a workspace and in a share.

use reqwest::Method;
use serde_json::json;

use crate::table::{Row, control, delete, get, post};

pub(crate) const MISSING: &str = "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4";

/// Uploads a file in one call and waits for it.
pub(crate) fn upload(
    number: &'static str,
    name: &'static str,
    bytes: &[u8],
    saved_as: &'static str,
) -> Vec<Row> {
    let size = bytes.len().to_string();
    let fields = [
        ("name", name),
        ("size", size.as_str()),
        ("action", "create"),
        ("instance_id", "{ws}"),
        ("folder_id", "root"),
        ("profile_type", "workspace"),
    ];
    vec![
        post(number, "/upload/").parts(&fields, &[("chunk", bytes)]).save("upload", "/id"),
        get(number, "/upload/{upload}/details/?wait=10").save(saved_as, "/session/new_file_id"),
    ]
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = upload("A9", "photo.jpg", b"not a photo", "file");
    rows.extend(listing());
    rows.extend(changing());
    rows.extend(locks());
    rows.extend(trash());
    rows.extend(downloads());
    rows
}

fn listing() -> Vec<Row> {
    vec![
        post("A8", "{s}/root/createfolder/").form(&[("name", "in")]).save("folder", "/node/id"),
        post("A8", "{s}/root/createfolder/").form(&[("name", "in")]).equals("/node/id", "{folder}"),
        get("A6", "{s}/root/list/?sort_by=updated&sort_dir=desc&page_size=100")
            .equals("/nodes/count", 2)
            .has(&["/nodes/items/0/id", "/pagination/next_cursor"])
            .equals("/pagination/has_more", false)
            .equals("/pagination/page_size", 100),
        get("A6", "{s}/{folder}/list/").equals("/nodes/count", 0),
        get("A6", "{s}/trash/list/").equals("/nodes/items", json!([])),
        get("A6", "{s}/root/list/?page_size=50").refused(406, 1605),
        get("A7", "{s}/{file}/details/")
            .equals("/format", "single")
            .equals("/node/id", "{file}")
            .equals("/node/type", "file")
            .equals("/node/size", 11)
            .equals("/node/hash_algo", "sha256")
            .equals("/node/virus/status", "clean")
            .equals("/node/origin/creator", "{user}")
            .has(&["/node/version", "/node/hash", "/node/crc32c", "/node/origin/upload_session_id"])
            .save("version", "/node/version"),
        get("A7", "{s}/{file},{folder}/details/")
            .equals("/format", "multi")
            .equals("/node_count", 2)
            .equals("/error_count", 0)
            .equals("/requested_count", 2),
        get("A7", &format!("{{s}}/{{file}},{MISSING}/details/"))
            .equals("/nodes/0/id", "{file}")
            .equals("/errors/0/node_id", MISSING)
            .equals("/errors/0/code", 133_123)
            .has(&["/errors/0/message"]),
        get("A7", &format!("{{s}}/{MISSING},{MISSING}/details/"))
            .refused(404, 133_123)
            .equals("/format", "multi")
            .equals("/nodes", json!([]))
            .equals("/error_count", 2),
        get("A7", &format!("{{s}}/{MISSING}/details/")).refused(404, 133_123),
        get("A7", "{s}/{file}/details/?output=full").has(&["/node/virus"]),
        get("A7", "{s}/{file}/details/?output=standard").refused(406, 1605),
        get("A6", "{s}/root/list/?output=terse").refused(406, 1605),
        get("A6", "{s}/inventory/?type=note").equals("/nodes/count", 0),
        get("A8", "{s}/search/?search=PHOTO")
            .has(&["/files", "/pagination/total"])
            .equals("/pagination/total", 1),
        get("A8", "{s}/inventory/?type=file&include=path&page_size=100")
            .equals("/nodes/items/0/path", "/photo.jpg")
            .equals("/nodes/count", 1),
        get("A8", "{s}/recent/?page_size=100&type=folder").equals("/nodes/items/0/id", "{folder}"),
        get("A8", "{s}/{file}/versions/").equals("/versions/0/id", "{version}").has(&["/versions/0/size"]),
    ]
}

fn changing() -> Vec<Row> {
    let mut rows = vec![
        post("A8", "{s}/{file}/move/").form(&[("parent", "{folder}")]).equals("/node/parent", "{folder}"),
        post("A8", "{s}/{folder}/move/").form(&[("parent", "{folder}")]).refused(406, 1605),
        post("A8", "{s}/{file}/copy/")
            .form(&[("parent", "root")])
            .equals("/node/parent", "root")
            .equals("/node/name", "photo.jpg")
            .save("copy", "/node/id"),
        post("A8", "{s}/{file}/copy/").form(&[("parent", "{folder}")]).equals("/node/name", "photo (2).jpg"),
        post("A8", "{s}/{file}/copy/").refused(406, 1605),
        post("A8", "{s}/{folder}/copy/").form(&[("parent", "root")]).equals("/node/name", "in (2)"),
        post("A8", "{s}/{copy}/update/").form(&[("name", "renamed.jpg")]).equals("/node/name", "renamed.jpg"),
        post("A8", "{s}/{folder}/update/")
            .form(&[("metadata_title", "T"), ("metadata_short", "S")])
            .equals("/node/summary/title", "T")
            .equals("/node/summary/short", "S"),
        post("A8", "{s}/{folder}/update/").refused(406, 1605),
    ];
    rows.extend(upload("A8", "renamed.jpg", b"other bytes", "replaced"));
    rows.extend(vec![
        get("A8", "{s}/{copy}/details/").equals("/node/id", "{replaced}").save("version", "/node/version"),
        get("A8", "{s}/{copy}/versions/").equals("/versions/1/size", 11).save("old", "/versions/1/id"),
        post("A8", "{s}/{copy}/update/")
            .form(&[("name", "x.jpg"), ("if_version_id", "{old}")])
            .refused(409, 1660)
            .equals("/error/params/reason", "conflict_version_mismatch")
            .equals("/error/params/current_version_id", "{version}"),
        post("A8", "{s}/{copy}/restore-version/").form(&[("version_id", "{old}")]).has(&["/node/version"]),
        get("A8", "{s}/{copy}/read/").bytes("image/jpeg", b"not a photo"),
        post("A8", "{s}/{copy}/restore-version/").refused(406, 1605),
        control("A8", Method::POST, "/control/workspaces", json!({ "name": "Other" }))
            .save("other", "/workspace_id"),
        post("A8", "{s}/{folder}/transfer/").form(&[("target_workspace_id", "{other}")]).has(&["/node/id"]),
        get("A8", "/workspace/{other}/storage/inventory/?type=file&include=path")
            .equals("/nodes/items/0/path", "/in/photo (2).jpg"),
        post("A8", "{s}/{folder}/transfer/").form(&[("target_workspace_id", "{ws}")]).refused(406, 1605),
    ]);
    rows
}

fn locks() -> Vec<Row> {
    vec![
        post("A8", "{s}/{file}/lock/")
            .form(&[("duration", "60"), ("client_info", r#"{"device_name":"x"}"#)])
            .equals("/locked", true)
            .equals("/lock_info/client_info/device_name", "x")
            .save("lock", "/lock_token"),
        post("A8", "{s}/{file}/lock/").refused(409, 1660).equals("/error/params/reason", "node_locked"),
        post("A8", "{s}/{file}/lock/").form(&[("duration", "59")]).refused(406, 1605),
        get("A8", "{s}/{file}/lock/").equals("/locked", true).equals("/lock_info/owner", "{user}"),
        get("A8", "{s}/{file}/details/").equals("/node/locked", true).has(&["/node/lock_info/expires"]),
        post("A8", "{s}/{file}/lock/heartbeat/").form(&[("lock_token", "{lock}")]).equals("/locked", true),
        post("A8", "{s}/{file}/lock/heartbeat/").form(&[("lock_token", "wrong")]).refused(403, 1680),
        delete("A8", "{s}/{file}/lock/").refused(406, 1605),
        delete("A8", "{s}/{file}/lock/").form(&[("lock_token", "{lock}")]).equals("/locked", false),
        delete("A8", "{s}/{file}/lock/").form(&[("lock_token", "{lock}")]).refused(404, 1609),
        post("A8", "{s}/{folder}/lock/").refused(406, 1605),
    ]
}

fn trash() -> Vec<Row> {
    vec![
        delete("A8", "{s}/{file}/purge/").refused(409, 1660),
        post("A8", "{s}/{file}/restore/").refused(409, 1660),
        delete("A8", "{s}/{file}/delete/").equals("/node/parent", "trash"),
        get("A6", "{s}/trash/list/").equals("/nodes/count", 1).equals("/nodes/items/0/id", "{file}"),
        get("A7", "{s}/{file}/details/").has(&["/node/deleted"]).equals("/node/deleted_from", "{folder}"),
        get("A18", "{s}/{file}/requestread/").save("token", "/token"),
        get("A19", "{s}/{file}/read/?token={token}").without_key().bytes("image/jpeg", b"not a photo"),
        get("A19", "{s}/{copy}/read/?token={token}").without_key().refused(403, 1680),
        get("A19", "{s}/{copy}/read/?token={token}").refused(403, 1680),
        post("A8", "{s}/{file}/restore/")
            .equals("/node/parent", "{folder}")
            .equals("/node/deleted", json!(null)),
        delete("A8", "{s}/{file}/delete/"),
        delete("A8", "{s}/{file}/purge/"),
        get("A7", "{s}/{file}/details/").refused(404, 133_123),
        get("A18", "{s}/{file}/requestread/").refused(404, 146_950),
        delete("A8", "{s}/{copy}/delete/"),
        delete("A8", "{s}/trash/delete/").equals("/count", 1),
        get("A6", "{s}/trash/list/").equals("/nodes/count", 0),
    ]
}

fn downloads() -> Vec<Row> {
    let mut rows = upload("A9", "film.mp4", b"0123456789", "film");
    rows.extend(vec![
        get("A18", "{s}/{film}/requestread/").has(&["/token"]).save("token", "/token"),
        get("A18", "{s}/{folder}/requestread/").refused(406, 1605),
        get("A19", "{s}/{film}/read/?token={token}").without_key().bytes("video/mp4", b"0123456789"),
        get("A19", "{s}/{film}/read/").bytes("video/mp4", b"0123456789"),
        get("A19", "{s}/{film}/read/").header("Range", "bytes=7-").status(206).bytes("video/mp4", b"789"),
        get("A19", "{s}/{film}/read/?token=nonsense").without_key().refused(401, 10_011),
        get("A19", "{s}/{film}/read/").without_key().refused(401, 10_011),
        get("A20", "{s}/{folder}/zip/").bytes("application/zip", b"PK"),
        get("A20", "{s}/root/zip/").bytes("application/zip", b"PK"),
        get("A20", "{s}/{film}/zip/").refused(406, 1605),
        get("A20", "{s}/{folder}/requestzip/").save("zip", "/token"),
        get("A20", "{s}/{folder}/zip/?token={zip}").without_key().bytes("application/zip", b"PK"),
        get("A20", "{s}/root/zip/?token={zip}").without_key().refused(403, 1680),
    ]);
    rows
}

/// The same calls below `/share/`.
pub(crate) fn shares() -> Vec<Row> {
    let fields = [
        ("name", "shared.txt"),
        ("size", "6"),
        ("action", "create"),
        ("instance_id", "{share}"),
        ("folder_id", "root"),
        ("profile_type", "share"),
    ];
    vec![
        control("A8", Method::POST, "/control/shares", json!({ "name": "Handover" }))
            .save("share", "/share_id"),
        get("A5", "/share/{share}/details/").equals("/share/title", "Handover"),
        get("A5", "/workspace/{share}/details/").refused(404, 1609),
        post("A9", "/upload/").parts(&fields, &[("chunk", b"shared")]).save("upload", "/id"),
        get("A14", "/upload/{upload}/details/?wait=10").save("shared", "/session/new_file_id"),
        get("A6", "/share/{share}/storage/root/list/").equals("/nodes/items/0/id", "{shared}"),
        get("A7", "/share/{share}/storage/{shared}/details/").equals("/node/name", "shared.txt"),
        get("A7", "{s}/{shared}/details/").refused(404, 133_123),
        get("A18", "/share/{share}/storage/{shared}/requestread/").save("token", "/token"),
        get("A19", "/share/{share}/storage/{shared}/read/?token={token}")
            .without_key()
            .bytes("text/plain", b"shared"),
        get("A19", "{s}/{shared}/read/?token={token}").without_key().refused(403, 1680),
        get("A22", "/events/search/?share_id={share}&event=share_storage_file_added")
            .equals("/events/0/object_id", "{shared}")
            .equals("/events/0/category", "share")
            .equals("/events/0/share_id", "{share}"),
        post("A21", "/comments/share/{share}/{shared}/")
            .json(json!({ "body": "seen" }))
            .equals("/comment/entity_type", "share"),
        post("A8", "{s}/root/addlink/")
            .form(&[("type", "share"), ("share", "{share}")])
            .equals("/node/type", "link")
            .equals("/node/target_id", "{share}"),
        post("A8", "{s}/root/addlink/").form(&[("type", "file"), ("share", "{share}")]).refused(406, 1605),
    ]
}

/// Routes of the service whose answers no source describes well enough: as if they did not exist.
pub(crate) fn missing() -> Vec<Row> {
    let files = "/share/{share}/storage/{shared}";
    vec![
        // Metadata is of workspaces only, in the service too.
        get("A8", &format!("{files}/metadata/facts/")).refused(404, 9992),
        get("A8", &format!("{files}/metadata/details/")).refused(404, 9992),
        get("A8", "{s}/{film}/preview/thumbnail/preauthorize/").refused(404, 9992),
        get("A8", "{s}/{film}/transform/image/requestread/").refused(404, 9992),
        get("A8", "{s}/{film}/content/").refused(404, 9992),
        get("A8", "{s}/{film}/readnote/").refused(404, 9992),
        post("A8", "{s}/root/createnote/").form(&[("name", "a.md"), ("content", "a")]).refused(404, 9992),
        post("A8", "{s}/{film}/metadata/extract/").refused(404, 9992),
        get("A8", "/workspace/{ws}/search/?search=x").refused(404, 9992),
        get("A22", "/events/search/summarize/?workspace_id={ws}").refused(404, 9992),
    ]
}
