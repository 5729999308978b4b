//! Calls that belong together.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

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

/// What each change writes into the log, by the names that the service publishes.
#[tokio::test]
async fn every_change_writes_its_event() {
    let world = World::new().await;
    let storage = "/workspace/{ws}/storage";
    let start = world.get("/org/{org}/events/changes/").await.expect(200)["cursor"].clone();
    let folder = world.form(&format!("{storage}/root/createfolder/"), &[("name", "in")]).await.expect(200);
    let folder = folder["node"]["id"].as_str().unwrap();
    let file = world.upload("a.txt", "root", b"one").await;
    world.upload("a.txt", "root", b"two").await;
    let old = world.get(&format!("{storage}/{file}/versions/")).await.expect(200);
    let old = old["versions"][1]["id"].as_str().unwrap();
    let post = async |path: &str, fields: &[(&str, &str)]| {
        world.form(&format!("{storage}/{path}"), fields).await.expect(200);
    };
    post(&format!("{file}/restore-version/"), &[("version_id", old)]).await;
    post(&format!("{file}/copy/"), &[("parent", folder)]).await;
    post(&format!("{file}/update/"), &[("name", "b.txt")]).await;
    post(&format!("{file}/move/"), &[("parent", folder)]).await;
    world.delete(&format!("{storage}/{file}/delete/")).await.expect(200);
    post(&format!("{file}/restore/"), &[]).await;
    world.get(&format!("{storage}/{file}/requestread/")).await.expect(200);
    world.get(&format!("{storage}/{folder}/requestzip/")).await.expect(200);
    post(&format!("{folder}/update/"), &[("name", "out")]).await;
    world.delete(&format!("{storage}/{folder}/delete/")).await.expect(200);
    post(&format!("{folder}/restore/"), &[]).await;

    let path = format!("/org/{{org}}/events/changes/?cursor={}", start.as_str().unwrap());
    let feed = world.get(&path).await.expect(200);
    let names: Vec<&str> =
        feed["changes"].as_array().unwrap().iter().map(|change| change["event"].as_str().unwrap()).collect();
    let stems: Vec<&str> =
        names.iter().map(|name| name.strip_prefix("workspace_storage_").unwrap()).collect();
    assert_eq!(
        stems,
        [
            "folder_created",
            "file_added",
            "file_updated",
            "file_version_restored",
            "file_copied",
            "file_updated",
            "file_moved",
            "file_deleted",
            "file_restored",
            "folder_updated",
            "folder_deleted",
            "folder_restored",
        ]
    );
    let found = world.get("/events/search/?workspace_id={ws}&subcategory=transfer").await.expect(200);
    let found: Vec<&str> =
        found["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert!(found.contains(&"workspace_storage_download_token_created"), "{found:?}");
    assert!(found.contains(&"workspace_storage_zip_downloaded"), "{found:?}");
}

#[tokio::test]
async fn a_cursor_grows_old() {
    let world = World::with(|settings| settings.change_cursor_lifetime = std::time::Duration::ZERO).await;
    let start = world.get("/org/{org}/events/changes/").await.expect(200)["cursor"].clone();
    let path = format!("/org/{{org}}/events/changes/?cursor={}", start.as_str().unwrap());
    let error = world.get(&path).await.refused(406, 187_907);
    assert_eq!(error["params"]["reason"], "cursor_expired");
}
