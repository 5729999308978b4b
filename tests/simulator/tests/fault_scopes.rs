//! Faults of one workspace, in calls that do not name it in their path, or not as a workspace.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::World;

/// Sets a fault for somebody's calls, then makes a call of somebody else and one of theirs.
async fn only_theirs_fails(world: &World, whose: &str, operation: &str, others: &str, theirs: &str) {
    let fault = json!({ "kind": "fail", "operation": operation, "status": 503, "workspace": whose });
    world.control(Method::POST, "/control/faults", fault).await;
    world.get(others).await.expect(200);
    world.get(theirs).await.refused(503, 0);
    world.get(theirs).await.expect(200);
}

#[tokio::test]
async fn a_workspace_in_the_query_is_the_one_that_a_call_is_about() {
    let world = World::new().await;
    let made = world.control(Method::POST, "/control/workspaces", json!({ "name": "Other" })).await;
    let (ours, other) = (&*world.workspace, made["workspace_id"].as_str().unwrap());
    let share = world.control(Method::POST, "/control/shares", json!({ "name": "Share" })).await;
    let share = share["share_id"].as_str().unwrap();
    let search = |query: String| format!("/events/search/?{query}");
    let others = search(format!("workspace_id={other}"));
    only_theirs_fails(&world, ours, "events.search", &others, &search(format!("workspace_id={ours}"))).await;
    world.control(Method::POST, "/control/api-keys", json!({ "key": "another" })).await;
    let world_of =
        |query: &str| world.client.get(world.url(&search(query.to_owned()))).bearer_auth("another");
    for (whose, query) in
        [(share, format!("share_id={share}")), (&*world.org, format!("org_id={}", world.org))]
    {
        let fault =
            json!({ "kind": "fail", "operation": "events.search", "status": 503, "workspace": whose });
        world.control(Method::POST, "/control/faults", fault).await;
        world.send(world_of(&query)).await.refused(503, 0);
        world.send(world_of(&query)).await.expect(200);
    }
    let limits = |id: &str| format!("/upload/limits/?action=create&instance_id={id}");
    only_theirs_fails(&world, ours, "upload.limits", &limits(other), &limits(ours)).await;
}

#[tokio::test]
async fn an_event_is_about_its_workspace() {
    let world = World::new().await;
    let made = world.control(Method::POST, "/control/workspaces", json!({ "name": "Other" })).await;
    let other = made["workspace_id"].as_str().unwrap();
    world.upload("a.txt", "root", b"x").await;
    let path = format!("/workspace/{other}/storage/root/createfolder/");
    world.form(&path, &[("name", "in")]).await.expect(200);
    let details = async |id: &str| {
        let found = world.get(&format!("/events/search/?workspace_id={id}")).await.expect(200);
        format!("/event/{}/details/", found["events"][0]["event_id"].as_str().unwrap())
    };
    let (ours, others) = (details(&world.workspace).await, details(other).await);
    only_theirs_fails(&world, &world.workspace, "events.details", &others, &ours).await;
}

#[tokio::test]
async fn a_long_poll_is_about_its_entity() {
    let world = World::new().await;
    let made = world.control(Method::POST, "/control/workspaces", json!({ "name": "Other" })).await;
    let other = made["workspace_id"].as_str().unwrap();
    let poll = |id: &str| format!("/activity/poll/{id}/");
    let (ours, others) = (poll(&world.workspace), poll(other));
    only_theirs_fails(&world, &world.workspace, "activity.poll", &others, &ours).await;
    only_theirs_fails(&world, &world.org, "activity.poll", &ours, &poll(&world.org)).await;
    let user = world.get("/user/auth/check/").await.expect(200)["id"].as_str().unwrap().to_owned();
    world.get(&poll(&user)).await.expect(200);

    let path = format!("/control/calls?workspace={}", world.workspace);
    let counted = world.control(Method::GET, &path, json!({})).await["calls"].clone();
    let polls: Vec<&Value> =
        counted.as_array().unwrap().iter().filter(|line| line["operation"] == "activity.poll").collect();
    assert_eq!(polls.len(), 1, "{counted}");
    assert_eq!(polls[0]["statuses"], json!({ "200": 2, "503": 1 }), "{counted}");
}
