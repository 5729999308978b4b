//! What holds for every route of the API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use fastio_simulator::WebhookDialect;
use reqwest::Method;
use serde_json::{Value, json};
use support::World;

/// Method and path of every route, each place of the path filled with something that is there or could be.
async fn routes(world: &World) -> Vec<(Method, String)> {
    let list = world.control(Method::GET, "/control/operations", json!({})).await;
    let route = |route: &Value| {
        let path = route["path"].as_str().unwrap();
        let path = path.replace("{workspace}", &world.workspace).replace("{org}", &world.org);
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "1" } else { segment });
        (route["method"].as_str().unwrap().parse().unwrap(), segments.collect::<Vec<_>>().join("/"))
    };
    list.as_array().unwrap().iter().map(route).collect()
}

#[tokio::test]
async fn nothing_is_answered_without_a_key_that_is_known() {
    let mut seen = 0;
    for dialect in [WebhookDialect::Guide, WebhookDialect::Subscriptions] {
        let world = World::with(|settings| settings.webhooks = Some(dialect)).await;
        for (method, path) in routes(&world).await {
            let call = || world.client.request(method.clone(), world.url(&path));
            for (request, who) in [
                (call(), "no header"),
                (call().bearer_auth("somebody-else"), "an unknown key"),
                (call().bearer_auth(""), "no key"),
                (call().header("Authorization", "Basic dGVzdC1rZXk6"), "another scheme"),
            ] {
                let answer = world.send(request).await;
                let said = (answer.status.as_u16(), answer.code());
                assert_eq!(said, (401, 10_011), "{who}: {method} {path}: {}", answer.body);
            }
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen} routes are not all");
}

#[tokio::test]
async fn a_token_opens_nothing_but_the_two_calls_that_take_one() {
    let world = World::new().await;
    for (method, path) in routes(&world).await {
        let url = world.url(&format!("{path}?token=x"));
        let takes_one = path.ends_with("/read/") || path.ends_with("/zip/");
        if !takes_one {
            world.send(world.client.request(method, url)).await.refused(401, 10_011);
        }
    }
}

#[tokio::test]
async fn a_key_that_is_removed_is_not_known_any_more() {
    let world = World::new().await;
    world.control(Method::POST, "/control/api-keys", json!({ "key": "k7" })).await;
    let call = || world.client.get(world.url("/user/auth/check/")).bearer_auth("k7");
    world.send(call()).await.expect(200);
    world.control(Method::DELETE, "/control/api-keys/k7", json!({})).await;
    world.send(call()).await.refused(401, 10_011);
}
