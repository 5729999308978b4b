//! A Fast.io with one workspace (123) in one organisation (77), two keys (`good-key` and `other-key`), webhooks in the guide's
//! dialect, and a feed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Json, Router};
use serde_json::{Value, json};

#[derive(Default)]
struct World {
    webhooks: BTreeMap<String, Value>,
    secrets: BTreeMap<String, String>,
    calls: Vec<String>,
    /// Status of all answers, if not what they should be.
    broken: Option<StatusCode>,
    /// The next creation happens and its answer is lost.
    lose_answer: bool,
    unsupported: bool,
    /// Calls that are refused, by a part of method and path.
    refused: Vec<(&'static str, StatusCode)>,
}

type Shared = Arc<Mutex<World>>;

pub(crate) struct FakeFastio {
    world: Shared,
    pub(crate) flag: String,
}

impl FakeFastio {
    pub(crate) async fn start() -> Self {
        let world = Shared::default();
        let routes = Router::new()
            .route("/user/auth/check/", get(async || Json(json!({"result": true, "id": "1"}))))
            .route("/workspace/{ws}/details/", get(workspace))
            .route(
                "/org/77/events/changes/",
                get(async || Json(json!({"result": true, "changes": [], "cursor": "c"}))),
            )
            .route("/events/search/", get(async || Json(json!({"result": true, "events": []}))))
            .route("/workspaces/{ws}/webhooks/", get(list).post(create))
            .route("/workspaces/{ws}/webhooks/{id}/", axum::routing::post(update).delete(remove))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&world), guard))
            .with_state(Arc::clone(&world));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let flag = format!("--fastio-base-url=http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { world, flag }
    }

    pub(crate) fn webhooks(&self) -> Vec<Value> {
        self.world.lock().unwrap().webhooks.values().cloned().collect()
    }

    pub(crate) fn secret(&self, id: &str) -> String {
        self.world.lock().unwrap().secrets[id].clone()
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.world.lock().unwrap().calls)
    }

    pub(crate) fn change(&self, id: &str, field: &str, value: Value) {
        self.world.lock().unwrap().webhooks.get_mut(id).unwrap()[field] = value;
    }

    pub(crate) fn add(&self, url: &str) -> String {
        add(&mut self.world.lock().unwrap(), &[("url".to_owned(), url.to_owned())].into())
    }

    pub(crate) fn break_down(&self, status: Option<StatusCode>) {
        self.world.lock().unwrap().broken = status;
    }

    pub(crate) fn lose_next_answer(&self) {
        self.world.lock().unwrap().lose_answer = true;
    }

    pub(crate) fn without_webhooks(&self) {
        self.world.lock().unwrap().unsupported = true;
    }

    pub(crate) fn with_webhooks(&self) {
        self.world.lock().unwrap().unsupported = false;
    }

    /// These calls are refused from now on, and no others.
    pub(crate) fn refuse(&self, status: StatusCode, calls: &[&'static str]) {
        self.world.lock().unwrap().refused = calls.iter().map(|&call| (call, status)).collect();
    }

    /// The key lacks the right to these calls.
    pub(crate) fn forbid(&self, calls: &[&'static str]) {
        self.refuse(StatusCode::FORBIDDEN, calls);
    }
}

async fn guard(
    State(world): State<Shared>,
    headers: HeaderMap,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let call = format!("{} {}", request.method(), request.uri().path());
    let (broken, unsupported, refused) = {
        let mut world = world.lock().unwrap();
        world.calls.push(call.clone());
        let refused = world.refused.iter().find(|(part, _)| call.contains(part)).map(|(_, status)| *status);
        (world.broken, world.unsupported && call.contains("/webhooks/"), refused)
    };
    if let Some(status) = broken {
        return refusal(status, 0);
    }
    let key = headers.get("authorization");
    if key.is_none_or(|key| key != "Bearer good-key" && key != "Bearer other-key") {
        return refusal(StatusCode::UNAUTHORIZED, 10011);
    }
    if let Some(status) = refused {
        return refusal(status, if status == StatusCode::FORBIDDEN { 10767 } else { 0 });
    }
    if unsupported {
        return refusal(StatusCode::NOT_FOUND, 9992);
    }
    next.run(request).await
}

fn refusal(status: StatusCode, code: u32) -> Response {
    (status, Json(json!({"result": false, "error": {"code": code, "text": "no"}}))).into_response()
}

async fn workspace(Path(ws): Path<String>) -> Response {
    if ws == "123" {
        Json(json!({"result": true, "workspace": {"id": ws, "org_id": 77}})).into_response()
    } else {
        refusal(StatusCode::NOT_FOUND, 1609)
    }
}

async fn list(State(world): State<Shared>) -> Json<Value> {
    let webhooks: Vec<_> = world.lock().unwrap().webhooks.values().cloned().collect();
    Json(json!({"result": true, "webhooks": webhooks}))
}

fn add(world: &mut World, form: &BTreeMap<String, String>) -> String {
    let id = format!("w{}", world.webhooks.len() + 1);
    let webhook = json!({"id": id, "url": form["url"], "enabled": true,
        "events": form.get("events").map(|events| events.split(',').collect::<Vec<_>>())});
    world.webhooks.insert(id.clone(), webhook);
    world.secrets.insert(id.clone(), form.get("secret").cloned().unwrap_or_default());
    id
}

async fn create(State(world): State<Shared>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    // Long enough for another operator to look before this one's webhook is there.
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    let mut world = world.lock().unwrap();
    let id = add(&mut world, &form);
    if std::mem::take(&mut world.lose_answer) {
        return refusal(StatusCode::GATEWAY_TIMEOUT, 0);
    }
    Json(json!({"result": true, "webhook": world.webhooks[&id]})).into_response()
}

async fn update(
    State(world): State<Shared>,
    Path((_, id)): Path<(String, String)>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let mut world = world.lock().unwrap();
    let Some(mut webhook) = world.webhooks.get(&id).cloned() else {
        return refusal(StatusCode::NOT_FOUND, 1609);
    };
    for (field, value) in form {
        match field.as_str() {
            "secret" => drop(world.secrets.insert(id.clone(), value)),
            "events" => webhook[&field] = json!(value.split(',').collect::<Vec<_>>()),
            "enabled" => webhook[&field] = json!(value == "true"),
            _ => webhook[&field] = json!(value),
        }
    }
    world.webhooks.insert(id, webhook.clone());
    Json(json!({"result": true, "webhook": webhook})).into_response()
}

async fn remove(State(world): State<Shared>, Path((_, id)): Path<(String, String)>) -> Response {
    match world.lock().unwrap().webhooks.remove(&id) {
        Some(_) => Json(json!({"result": true})).into_response(),
        None => refusal(StatusCode::NOT_FOUND, 1609),
    }
}
