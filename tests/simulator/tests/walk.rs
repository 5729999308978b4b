//! Every call once, in the shapes that clients of the real service rely on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::World;

/// JSON pointers that must be there.
type Keys = &'static [&'static str];

/// Method, path, form or JSON body, keys of the answer.
type Call = (Method, String, Option<Body>, Keys);

enum Body {
    Form(&'static [(&'static str, &'static str)]),
    Json(Value),
}

fn get(path: String, keys: Keys) -> Call {
    (Method::GET, path, None, keys)
}

fn post(path: String, body: Body, keys: Keys) -> Call {
    (Method::POST, path, Some(body), keys)
}

#[allow(clippy::too_many_lines, reason = "it is a table")]
fn calls(file: &str, folder: &str) -> Vec<Call> {
    let storage = "/workspace/{ws}/storage";
    vec![
        get("/user/auth/check/".into(), &["/id"]),
        get(
            "/auth/scopes/".into(),
            &["/auth_type", "/scopes/0", "/scopes_detail/0", "/full_access", "/admin", "/legacy"],
        ),
        get("/orgs/list/".into(), &["/orgs/0/id", "/orgs/0/name", "/orgs/0/domain", "/pagination/total"]),
        get("/workspaces/all/".into(), &["/workspaces/0/folder_name", "/pagination/has_more"]),
        get("/org/{org}/list/workspaces/".into(), &["/workspaces/0/org_domain", "/pagination/limit"]),
        get("/workspace/{ws}/details/".into(), &["/workspace/id", "/workspace/name"]),
        get("/workspace/test/details/".into(), &["/workspace/id"]),
        get(
            format!("{storage}/root/list/?sort_by=updated&sort_dir=desc&page_size=100"),
            &["/nodes/count", "/nodes/items/0/id", "/pagination/has_more", "/pagination/page_size"],
        ),
        get(format!("{storage}/{folder}/list/"), &["/nodes/items"]),
        get(format!("{storage}/trash/list/"), &["/nodes/items"]),
        get(
            format!("{storage}/{file}/details/"),
            &["/node/version", "/node/hash", "/node/crc32c", "/node/origin/creator", "/node/virus/status"],
        ),
        get(
            format!("{storage}/{file},{folder}/details/"),
            &["/nodes/1/id", "/errors", "/node_count", "/error_count", "/requested_count"],
        ),
        get(format!("{storage}/{file}/versions/"), &["/versions/0/id", "/versions/0/size"]),
        get(format!("{storage}/search/?search=PHOTO"), &["/files", "/pagination/total"]),
        get(
            format!("{storage}/inventory/?type=file&include=path&page_size=100"),
            &["/nodes/items/0/path", "/pagination/page_size"],
        ),
        post(format!("{storage}/root/createfolder/"), Body::Form(&[("name", "made")]), &["/node/id"]),
        post(format!("{storage}/{file}/update/"), Body::Form(&[("name", "renamed.jpg")]), &["/node/name"]),
        post(
            format!("{storage}/{folder}/update/"),
            Body::Form(&[("metadata_title", "T")]),
            &["/node/summary"],
        ),
        get(format!("{storage}/{file}/requestread/"), &["/token"]),
        get(
            "/upload/limits/".into(),
            &["/chunk_size", "/size", "/chunks", "/sessions", "/sessions_size_max"],
        ),
        get("/upload/algos/".into(), &["/algos/0"]),
        get("/upload/details/".into(), &["/sessions/0/id"]),
        post(
            format!("/comments/workspace/{{ws}}/{file}/"),
            Body::Json(json!({ "body": "hello", "properties": { "marker": "x" } })),
            &["/comment/id", "/comment/body", "/comment/profile_id", "/comment/properties/marker"],
        ),
        get(
            format!("/comments/workspace/{{ws}}/{file}/?limit=2&sort=-created"),
            &["/comments/0/body", "/pagination/total"],
        ),
        get("/comments/workspace/{ws}/".into(), &["/comments/0/node_id"]),
        get(format!("{storage}/{file}/metadata/facts/"), &["/object_id", "/count", "/items"]),
        post(
            format!("{storage}/{file}/metadata/facts/"),
            Body::Json(json!({ "facts": { "iso": 100, "camera": "X", "note": null } })),
            &["/items/1/field", "/items/1/value", "/items/1/declared_type", "/items/1/source"],
        ),
        get(format!("{storage}/{file}/metadata/details/"), &["/items/0/updated"]),
        (Method::DELETE, format!("{storage}/{file}/metadata/?keys=iso"), None, &["/items/0/field"]),
        get(
            "/events/search/?workspace_id={ws}&created-min=2020-01-01 00:00:00&limit=2".into(),
            &["/events/0/event_id", "/events/0/sub_category", "/pagination/next_cursor"],
        ),
        get("/org/{org}/events/changes/".into(), &["/changes", "/cursor", "/has_more", "/profiles/items"]),
        get("/activity/poll/{ws}/?wait=1".into(), &["/activity", "/lastactivity"]),
        (Method::DELETE, format!("{storage}/{file}/delete/"), None, &["/node/deleted"]),
    ]
}

#[tokio::test]
async fn every_call_answers_in_its_shape() {
    let world = World::new().await;
    let file = world.upload("photo.jpg", "root", b"not a photo").await;
    let made = world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "in")]).await.expect(200);
    let folder = made["node"]["id"].as_str().unwrap();
    for (method, path, body, keys) in calls(&file, folder) {
        let request = world.request(method.clone(), &path);
        let request = match body {
            Some(Body::Form(fields)) => request.form(fields),
            Some(Body::Json(body)) => request.json(&body),
            None => request,
        };
        let answer = world.send(request).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        for header in ["x-ve-reqid", "x-ve-limit-avail", "x-ve-limit-max", "x-ve-limit-expires"] {
            assert!(answer.headers.contains_key(header), "{method} {path} has no {header}");
        }
        for key in keys {
            assert!(answer.body.pointer(key).is_some(), "{method} {path} has no {key}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn ids_and_dates_have_the_forms_of_the_service() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"x").await;
    assert_eq!((file.len(), file.chars().next()), (34, Some('2')));
    let node =
        world.get(&format!("/workspace/{{ws}}/storage/{file}/details/")).await.expect(200)["node"].clone();
    assert!(node["version"].as_str().unwrap().starts_with('3'));
    assert!(node["origin"]["upload_session_id"].as_str().unwrap().starts_with('5'));
    assert_eq!(world.workspace.len(), 19);
    let created = node["created"].as_str().unwrap();
    assert!(created.len() == 23 && created.ends_with(" UTC"), "{created}");
    assert_eq!(node["mimetype"], "text/plain");
    let bare = file.replace('-', "");
    world.get(&format!("/workspace/{{ws}}/storage/{bare}/details/")).await.expect(200);
}

#[tokio::test]
async fn a_folder_is_listed_in_pages_without_loss() {
    let world = World::new().await;
    for number in 0..130 {
        let name = format!("folder {number:03}");
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", &name)]).await.expect(200);
    }
    let mut names = Vec::new();
    let mut path = "/workspace/{ws}/storage/root/list/".to_owned();
    loop {
        let page = world.get(&path).await.expect(200);
        let items = page["nodes"]["items"].as_array().unwrap();
        names.extend(items.iter().map(|node| node["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["pagination"]["next_cursor"].as_str() else { break };
        path = format!("/workspace/{{ws}}/storage/root/list/?cursor={cursor}");
    }
    assert_eq!(names, (0..130).map(|number| format!("folder {number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn search_feed_and_webhooks_agree_on_events() {
    let world = World::new().await;
    let start = world.get("/org/{org}/events/changes/").await.expect(200);
    assert_eq!(start["changes"], json!([]));
    let hook = [("url", "http://127.0.0.1:9/"), ("events", "upload,move"), ("secret", "s")];
    world.form("/workspaces/{ws}/webhooks/", &hook).await.expect(200);
    let file = world.upload("a.txt", "root", b"x").await;
    world.form(&format!("/workspace/{{ws}}/storage/{file}/update/"), &[("name", "b.txt")]).await.expect(200);

    let path = format!("/org/{{org}}/events/changes/?cursor={}", start["cursor"].as_str().unwrap());
    let feed = world.get(&path).await.expect(200);
    let names: Vec<&str> =
        feed["changes"].as_array().unwrap().iter().map(|change| change["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["workspace_storage_file_added", "workspace_storage_file_updated"]);
    assert_eq!(feed["changes"][0]["object_id"], json!(file));
    let found =
        world.get("/events/search/?workspace_id={ws}&event=workspace_storage_file_added").await.expect(200);
    assert_eq!(found["events"][0]["event_id"], feed["changes"][0]["event_id"]);
    let log = world.control(Method::GET, "/control/deliveries", Value::Null).await;
    assert_eq!(log["deliveries"].as_array().unwrap().len(), 1, "the rename is not subscribed");
    assert_eq!(log["deliveries"][0]["event_id"], feed["changes"][0]["event_id"]);
}

#[tokio::test]
async fn a_poll_is_held_until_something_happens() {
    let world = World::new().await;
    let last = world.get("/activity/poll/{ws}/").await.expect(200)["lastactivity"].clone();
    let path = format!("/activity/poll/{{ws}}/?wait=20&lastactivity={}", last.as_str().unwrap());
    let started = std::time::Instant::now();
    let (polled, file) = tokio::join!(world.get(&path), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        world.upload("a.txt", "root", b"x").await
    });
    let polled = polled.expect(200);
    assert_eq!(polled["activity"], json!([format!("storage:{file}")]));
    assert!(started.elapsed() >= std::time::Duration::from_millis(100));
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}

#[tokio::test]
async fn names_that_clash() {
    let world = World::new().await;
    let storage = "/workspace/{ws}/storage";
    let folder = |force: &'static str| {
        let world = &world;
        async move {
            let fields = [("name", "in"), ("force", force)];
            let made = world.form(&format!("{storage}/root/createfolder/"), &fields).await.expect(200);
            (
                made["node"]["id"].as_str().unwrap().to_owned(),
                made["node"]["name"].as_str().unwrap().to_owned(),
            )
        }
    };
    let (first, _) = folder("false").await;
    assert_eq!(folder("false").await.0, first, "making a folder is idempotent");
    assert_eq!(folder("true").await.1, "in (2)");

    let old = world.upload("a.txt", "root", b"one").await;
    let new = world.upload("a.txt", "root", b"three").await;
    assert_eq!(old, new, "an upload onto a name replaces in place");
    let versions = world.get(&format!("{storage}/{old}/versions/")).await.expect(200);
    assert_eq!(versions["versions"].as_array().unwrap().len(), 2);
    assert_eq!(versions["versions"][0]["current"], true);

    let other = world.upload("a.txt", &first, b"in the folder").await;
    world.form(&format!("{storage}/{old}/move/"), &[("parent", &first)]).await.expect(200);
    let trashed = world.get(&format!("{storage}/{other}/details/")).await.expect(200);
    assert_eq!(trashed["node"]["parent"], "trash", "a move trashes the file that has the name");
    world.form(&format!("{storage}/{first}/move/"), &[("parent", &first)]).await.refused(406, 1605);
    world.upload("b.txt", &first, b"b").await;
    world.form(&format!("{storage}/{old}/update/"), &[("name", "b.txt")]).await.refused(409, 1660);
    world.delete(&format!("{storage}/{first}/delete/")).await.expect(200);
    let inventory = world.get(&format!("{storage}/inventory/?type=file")).await.expect(200);
    assert_eq!(inventory["nodes"]["count"], 0, "what lies in a trashed folder is trashed");
}

#[tokio::test]
async fn pages_of_events_lose_nothing() {
    let world = World::new().await;
    for number in 0..7 {
        let name = number.to_string();
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", &name)]).await.expect(200);
    }
    let mut ids = std::collections::BTreeSet::new();
    let mut cursor = String::new();
    let mut pages = 0;
    loop {
        let page =
            world.get(&format!("/events/search/?workspace_id={{ws}}&limit=3{cursor}")).await.expect(200);
        pages += 1;
        for event in page["events"].as_array().unwrap() {
            assert!(ids.insert(event["event_id"].to_string()), "an event came twice");
        }
        let Some(next) = page["pagination"]["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((ids.len(), pages), (7, 3));

    let start = world.get("/org/{org}/events/changes/").await.expect(200)["cursor"].clone();
    for number in 7..10 {
        let name = number.to_string();
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", &name)]).await.expect(200);
    }
    let path =
        |cursor: &Value| format!("/org/{{org}}/events/changes/?limit=2&cursor={}", cursor.as_str().unwrap());
    let first = world.get(&path(&start)).await.expect(200);
    assert_eq!((first["changes"].as_array().unwrap().len(), &first["has_more"]), (2, &json!(true)));
    let second = world.get(&path(&first["cursor"])).await.expect(200);
    assert_eq!((second["changes"].as_array().unwrap().len(), &second["has_more"]), (1, &json!(false)));
    let none = world.get(&path(&second["cursor"])).await.expect(200);
    assert_eq!(none["changes"], json!([]));
}

#[tokio::test]
async fn people_see_files_comments_and_pictures() {
    let world = World::new().await;
    let file = world.upload("<b>.png", "root", b"picture").await;
    let comment = json!({ "body": "done & seen" });
    world.json(&format!("/comments/workspace/{{ws}}/{file}/"), comment).await.expect(200);
    let base = format!("http://{}", world.simulator.address());
    let page = world.client.get(&base).send().await.unwrap().text().await.unwrap();
    let link = format!("/files/{}/{file}", world.workspace);
    for wanted in ["&lt;b&gt;.png", "done &amp; seen", &format!("<img src=\"{link}\"")] {
        assert!(page.contains(wanted), "no {wanted} in {page}");
    }
    let picture = world.client.get(format!("{base}{link}")).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.text().await.unwrap(), "picture");
}
