//! The result of the virus scan: clean, unless the control API says something else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{World, pattern};

async fn virus(world: &World, file: &str) -> Value {
    let details = world.get(&format!("/workspace/{{ws}}/storage/{file}/details/")).await.expect(200);
    details["node"]["virus"].clone()
}

fn clean() -> Value {
    json!({ "status": "clean", "reason": null })
}

#[tokio::test]
async fn a_result_can_be_set_and_taken_back() {
    let world = World::new().await;
    let file = world.upload("a.jpg", "root", b"same bytes").await;
    let other = world.upload("b.jpg", "root", b"same bytes").await;
    assert_eq!(virus(&world, &file).await, clean());
    let finding = json!({ "workspace": world.workspace, "file": file, "reason": "Eicar-Signature" });
    let infected = json!({ "status": "infected", "reason": "Eicar-Signature" });
    let said = world.control(Method::POST, "/control/virus", finding).await;
    assert_eq!(said["virus"], infected);
    assert_eq!(virus(&world, &file).await, infected);
    let listed = world.get("/workspace/{ws}/storage/root/list/?sort_by=name").await.expect(200);
    assert_eq!(listed["nodes"]["items"][0]["virus"], infected);
    assert_eq!(virus(&world, &other).await, clean(), "another upload of the same bytes is another file");
    let finding = json!({ "workspace": world.workspace, "file": file, "status": "clean" });
    world.control(Method::POST, "/control/virus", finding).await;
    assert_eq!(virus(&world, &file).await, clean());
}

#[tokio::test]
async fn a_copy_has_the_result_of_its_bytes_and_a_new_version_has_its_own() {
    let world = World::new().await;
    let file = world.upload("a.txt", "root", b"bad").await;
    let finding = json!({ "workspace": world.workspace, "file": file, "status": "quarantined" });
    world.control(Method::POST, "/control/virus", finding).await;
    let copied = world
        .form(&format!("/workspace/{{ws}}/storage/{file}/copy/"), &[("parent", "root")])
        .await
        .expect(200);
    assert_eq!(copied["node"]["virus"], json!({ "status": "quarantined", "reason": null }));
    assert_eq!(world.upload("a.txt", "root", b"good").await, file);
    assert_eq!(virus(&world, &file).await, clean());
    assert_eq!(virus(&world, copied["node"]["id"].as_str().unwrap()).await["status"], "quarantined");
}

#[tokio::test]
async fn a_file_can_be_infected_from_its_upload_on_however_it_comes() {
    let world = World::new().await;
    world.fault(json!({ "kind": "infect_files", "name": "bad.jpg", "reason": "Worm", "times": 5 })).await;
    let infected = json!({ "status": "infected", "reason": "Worm" });
    let good = world.upload("good.jpg", "root", b"x").await;
    assert_eq!(virus(&world, &good).await, clean(), "the fault waits for its file");

    let single = world.upload("bad.jpg", "root", b"x").await;
    assert_eq!(virus(&world, &single).await, infected);
    let upload = world.open_session("bad.jpg", 2_000_000).await;
    world.chunk(&upload, 1, &pattern(2_000_000), "").await.expect(200);
    world.form(&format!("/upload/{upload}/complete/"), &[]).await.expect(202);
    assert_eq!(virus(&world, &world.stored(&upload).await).await, infected);

    let address = world.simulator.address();
    let url = format!("http://{address}/control/web-sources?url=https://example.com/bad.jpg");
    world.client.put(url).body("x").send().await.unwrap().error_for_status().unwrap();
    let fields = [("source_url", "https://example.com/bad.jpg"), ("profile_id", &*world.workspace)];
    let fields = [&fields[..], &[("profile_type", "workspace"), ("folder_id", "root")]].concat();
    let web = world.form("/web_upload/", &fields).await.expect(200);
    assert_eq!(virus(&world, &world.stored(web["id"].as_str().unwrap()).await).await, infected);

    let url = format!("http://{address}/control/upload?name=bad.jpg&workspace={}", world.workspace);
    world.client.post(&url).body("x").send().await.unwrap().error_for_status().unwrap();
    assert_eq!(virus(&world, &single).await, infected);

    let from = json!({ "type": "hash", "hash": { "hash": HASH_OF_X, "hash_type": "sha256" } }).to_string();
    let folder =
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "in")]).await.expect(200);
    let path = format!("/workspace/{{ws}}/storage/{}/addfile/", folder["node"]["id"].as_str().unwrap());
    let added = world.form(&path, &[("name", "bad.jpg"), ("from", &from)]).await.expect(200);
    assert_eq!(added["node"]["virus"], infected);

    world.client.post(&url).body("y").send().await.unwrap().error_for_status().unwrap();
    assert_eq!(virus(&world, &single).await, clean(), "five were all");
}

/// SHA-256 of `x`.
const HASH_OF_X: &str = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

#[tokio::test]
async fn what_cannot_be_infected_is_refused_by_name() {
    let world = World::new().await;
    let folder =
        world.form("/workspace/{ws}/storage/root/createfolder/", &[("name", "in")]).await.expect(200);
    let file = world.upload("a.txt", "root", b"x").await;
    let base = json!({ "workspace": world.workspace, "file": file });
    for (change, status, said) in [
        (json!({ "workspace": "1234567890123456789" }), 404, "no such workspace"),
        (json!({ "file": folder["node"]["id"] }), 404, "no such file"),
        (json!({ "file": "a.txt" }), 400, "`file` is not"),
        (json!({ "status": "" }), 400, "`status` is empty"),
        (json!({ "state": "infected" }), 400, "unknown field `state`"),
    ] {
        let mut finding = base.clone();
        finding.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let url = format!("http://{}/control/virus", world.simulator.address());
        let answer = world.client.post(url).json(&finding).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{finding}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(said), "{finding}: {text}");
    }
}
