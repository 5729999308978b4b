//! The page for people, and the uploads that it makes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use support::{
    World,
    receiver::{Receiver, register, settled},
};

const HOSTILE: &str = "<img src=x onerror=alert(1)>'\"&.png";

async fn get(world: &World, path: &str) -> Response {
    let url = format!("http://{}{path}", world.simulator.address());
    world.client.get(url).send().await.unwrap()
}

async fn page(world: &World) -> String {
    get(world, "/").await.text().await.unwrap()
}

async fn drop_file(world: &World, folder: &str, name: &str, bytes: &'static [u8]) -> Response {
    let url = format!("http://{}/control/upload", world.simulator.address());
    let query = [("workspace", world.workspace.as_str()), ("folder", folder), ("name", name)];
    world.client.post(url).query(&query).body(bytes).send().await.unwrap()
}

#[tokio::test]
async fn people_see_files_comments_and_pictures() {
    let world = World::new().await;
    let file = world.upload("beach.png", "root", b"picture").await;
    let comment = json!({ "body": "done & seen" });
    world.json(&format!("/comments/workspace/{{ws}}/{file}/"), comment).await.expect(200);
    let page = page(&world).await;
    let link = format!("/files/{}/{file}?v=", world.workspace);
    for wanted in ["beach.png", "<q>done &amp; seen</q>", "7 bytes", &format!("<img src=\"{link}")] {
        assert!(page.contains(wanted), "no {wanted} in {page}");
    }
    let link = page.split(&format!("<img src=\"{link}")).nth(1).unwrap().split('"').next().unwrap();
    let picture = get(&world, &format!("/files/{}/{file}?v={link}", world.workspace)).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(picture.text().await.unwrap(), "picture");
}

#[tokio::test]
async fn names_and_comments_cannot_become_markup() {
    let world = World::new().await;
    let file = world.upload(HOSTILE, "root", b"x").await;
    world.upload("page.html", "root", b"<script>alert(1)</script>").await;
    let comment = json!({ "body": "<script>alert(2)</script>" });
    world.json(&format!("/comments/workspace/{{ws}}/{file}/"), comment).await.expect(200);
    let answer = get(&world, "/").await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(!page.contains("<img src=x") && !page.contains("<script>"), "{page}");
    let own = world.upload("drawing.svg", "root", b"<svg onload='alert(3)'/>").await;
    let served = get(&world, &format!("/files/{}/{own}", world.workspace)).await;
    assert_eq!(served.headers()["content-type"], "application/octet-stream");
    assert_eq!(served.headers()["x-content-type-options"], "nosniff");
    assert!(served.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
}

#[tokio::test]
async fn a_dropped_file_is_an_upload_like_any_other() {
    let world = World::new().await;
    let (receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload,modify").await;
    let folder =
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "in")]).await.expect(200);
    let folder = folder["node"]["id"].as_str().unwrap();
    let answer = drop_file(&world, folder, "ä b.jpg", b"12345").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let file = made["file_id"].as_str().unwrap();
    let payload = receiver.wait_for(1).await[0].json();
    assert_eq!((&payload["eventType"], &payload["fileName"]), (&json!("upload"), &json!("ä b.jpg")));
    let node =
        world.get(&format!("/workspace/{{ws}}/storage/{file}/details/")).await.expect(200)["node"].clone();
    assert_eq!((&node["parent"], &node["size"]), (&json!(folder), &json!(5)));
    drop_file(&world, folder, "ä b.jpg", b"1234567").await;
    assert_eq!(receiver.wait_for(2).await[1].json()["eventType"], "modify");
}

#[tokio::test]
async fn an_upload_that_cannot_be_is_refused() {
    let world = World::new().await;
    assert_eq!(drop_file(&world, "root", "../x", b"x").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(drop_file(&world, "nowhere", "x", b"x").await.status(), StatusCode::CONFLICT);
    let url =
        format!("http://{}/control/upload?name=x&workspace={}", world.simulator.address(), world.workspace);
    let foreign =
        world.client.post(&url).header("Sec-Fetch-Site", "cross-site").body("x").send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let own = world.client.post(&url).header("Sec-Fetch-Site", "same-origin").body("x").send().await.unwrap();
    assert_eq!(own.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn results_stand_beside_their_source() {
    let world = World::new().await;
    world.upload("beach.jpg", "root", b"x").await;
    let folder =
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "beach")]).await.expect(200);
    let result = world.upload("beach.web.webp", folder["node"]["id"].as_str().unwrap(), b"x").await;
    let page = page(&world).await;
    let results = page.split("class=results").nth(1).expect("there are results");
    let article = results.split("</article>").next().unwrap();
    assert!(article.contains(&format!("result-{result}")) && article.contains("<b>+0."), "{article}");
}

/// The section of the deliveries.
async fn deliveries_shown(world: &World) -> String {
    let page = page(world).await;
    let section = page.split("<section id=deliveries>").nth(1).expect("there is a section");
    section.split("</section>").next().unwrap().to_owned()
}

#[tokio::test]
async fn people_see_deliveries_the_newest_first() {
    let world = World::new().await;
    let section = deliveries_shown(&world).await;
    assert!(section.contains("class=empty") && !section.contains("<table"), "{section}");
    let (_receiver, url) = Receiver::start(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::ACCEPTED]).await;
    register(&world, &url, "upload,delete").await;
    let file = world.upload("first.txt", "root", b"x").await;
    settled(&world, 1).await;
    world.fault(json!({ "kind": "drop_deliveries" })).await;
    world.delete(&format!("/workspace/{{ws}}/storage/{file}/delete/")).await.expect(200);
    let log = settled(&world, 2).await;
    let section = deliveries_shown(&world).await;
    let rows: Vec<&str> = section.split("<tr id=delivery-").skip(1).collect();
    assert_eq!(rows.len(), 2, "{section}");
    let shown = |row: usize, time: &str, rest: &str| {
        let (id, cells) = rows[row].split_once("><td>").unwrap();
        assert_eq!(id, log[row]["id"].to_string(), "{section}");
        assert!(log[row]["created"].as_str().unwrap().contains(&cells[..8]), "{time}: {cells}");
        assert!(cells[8..].starts_with(rest), "{rest}: {cells}");
    };
    shown(
        0,
        "deleted",
        "<td>delete<td>first.txt<td><span class=\"state dropped\">dropped</span><td>0<td><td>",
    );
    shown(
        1,
        "uploaded",
        "<td>upload<td>first.txt<td><span class=\"state delivered\">delivered</span><td>2<td>202<td>",
    );
}

#[tokio::test]
async fn people_see_why_a_delivery_fails_and_what_faults_did_to_it() {
    let world = World::with(|settings| settings.webhook_give_up = std::time::Duration::ZERO).await;
    register(&world, "http://127.0.0.1:9/hook", "upload").await;
    for kind in ["duplicate_deliveries", "replay_deliveries", "tamper_deliveries", "forge_deliveries"] {
        world.fault(json!({ "kind": kind })).await;
    }
    world.fault(json!({ "kind": "delay_deliveries", "milliseconds": 1 })).await;
    world.upload("a.txt", "root", b"x").await;
    settled(&world, 3).await;
    let section = deliveries_shown(&world).await;
    assert_eq!(
        section.matches("<span class=\"state failed\">failed</span><td>1<td>").count(),
        3,
        "{section}"
    );
    assert!(section.contains("onnection refused"), "{section}");
    for label in ["held back", "duplicate", "replay", "tampered", "wrong secret"] {
        let label = format!("<span class=fault>{label}</span>");
        assert_eq!(section.matches(&label).count(), 1, "{label}: {section}");
    }
}

#[tokio::test]
async fn names_in_deliveries_cannot_become_markup() {
    let world = World::new().await;
    let (_receiver, url) = Receiver::start(&[]).await;
    register(&world, &url, "upload").await;
    world.upload(HOSTILE, "root", b"x").await;
    settled(&world, 1).await;
    let section = deliveries_shown(&world).await;
    assert!(section.contains("<td>&lt;img src=x onerror=alert(1)&gt;&#39;&quot;&amp;.png<td>"), "{section}");
    assert!(!section.contains("<img"), "{section}");
}

#[tokio::test]
async fn many_files_hide_no_folder() {
    let world = World::with(|settings| settings.upload_step = std::time::Duration::ZERO).await;
    world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "zoo")]).await.expect(200);
    for number in 0..130 {
        drop_file(&world, "root", &format!("{number:03}.txt"), b"x").await;
    }
    let page = page(&world).await;
    assert!(page.contains("<span class=name>zoo</span>") && page.contains("and more"));
    assert!(page.contains("id=\"file-") && page.matches("id=\"file-").count() <= 120);
}

#[tokio::test]
async fn a_page_that_has_not_changed_is_not_sent_again() {
    let world = World::new().await;
    let tag = get(&world, "/").await.headers()["etag"].clone();
    let again = || {
        let url = format!("http://{}/", world.simulator.address());
        world.client.get(url).header("If-None-Match", tag.clone()).send()
    };
    assert_eq!(again().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    world.upload("a.txt", "root", b"x").await;
    assert_eq!(again().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_page_brings_what_it_needs() {
    let world = World::new().await;
    let page = page(&world).await;
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing comes from elsewhere");
    for (path, kind) in [("/page.css", "text/css"), ("/page.js", "text/javascript")] {
        assert!(page.contains(path), "{path}");
        assert_eq!(get(&world, path).await.headers()["content-type"], kind);
    }
}
