//! A simulator of its own for each test, and a client that knows nothing but HTTP.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod receiver;

use std::{path::Path, time::Duration};

use fastio_simulator::{Settings, Simulator, WebhookDialect};
use reqwest::{Client, Method, RequestBuilder, StatusCode, multipart};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) const KEY: &str = "test-key";

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) directory: TempDir,
    pub(crate) client: Client,
    pub(crate) workspace: String,
    pub(crate) org: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> u64 {
        self.body["error"]["code"].as_u64().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.body["result"], json!(status < 400), "{}", self.body);
        self.body
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: u64) -> Value {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.body);
        assert_eq!(self.body["result"], json!(false));
        self.body["error"].clone()
    }
}

pub(crate) fn settings(directory: &Path) -> Settings {
    Settings {
        api_keys: vec![KEY.to_owned()],
        webhooks: Some(WebhookDialect::Guide),
        webhook_retry_base: Duration::from_millis(20),
        webhook_timeout: Duration::from_millis(500),
        upload_step: Duration::from_millis(2),
        ..Settings::new(directory)
    }
}

pub(crate) async fn start(settings: Settings) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(settings, listener).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = settings(directory.path());
        change(&mut settings);
        let simulator = start(settings).await;
        let mut world = Self {
            simulator,
            directory,
            client: Client::new(),
            workspace: String::new(),
            org: String::new(),
        };
        let made = world.control(Method::POST, "/control/workspaces", json!({ "name": "Test" })).await;
        made["workspace_id"].as_str().unwrap().clone_into(&mut world.workspace);
        made["org_id"].as_str().unwrap().clone_into(&mut world.org);
        world
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let path = path.replace("{ws}", &self.workspace).replace("{org}", &self.org);
        format!("{}{path}", self.simulator.api_base())
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(KEY)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, path).form(fields)).await
    }

    pub(crate) async fn json(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// Sends to the control API; panics on an error.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", self.simulator.address());
        let response = self.client.request(method, url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        let text = response.text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Sets a fault for this workspace.
    pub(crate) async fn fault(&self, mut fault: Value) {
        fault["workspace"] = json!(self.workspace);
        self.control(Method::POST, "/control/faults", fault).await;
    }

    pub(crate) fn single(&self, name: &str, folder: &str, bytes: &[u8]) -> multipart::Form {
        multipart::Form::new()
            .text("name", name.to_owned())
            .text("size", bytes.len().to_string())
            .text("action", "create")
            .text("instance_id", self.workspace.clone())
            .text("folder_id", folder.to_owned())
            .text("profile_type", "workspace")
            .part("chunk", multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned()))
    }

    /// Uploads in one call and waits; the id of the file.
    pub(crate) async fn upload(&self, name: &str, folder: &str, bytes: &[u8]) -> String {
        let form = self.single(name, folder, bytes);
        let made = self.send(self.request(Method::POST, "/upload/").multipart(form)).await.expect(200);
        self.stored(made["id"].as_str().unwrap()).await
    }

    /// Waits for a session to become a file.
    pub(crate) async fn stored(&self, upload: &str) -> String {
        let session =
            self.get(&format!("/upload/{upload}/details/?wait=10")).await.expect(200)["session"].clone();
        assert_eq!(session["status"], "complete", "{session}");
        session["new_file_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn open_session(&self, name: &str, size: usize) -> String {
        let size = size.to_string();
        let fields = [
            ("name", name),
            ("size", &size),
            ("action", "create"),
            ("instance_id", &self.workspace),
            ("folder_id", "root"),
            ("profile_type", "workspace"),
        ];
        let made = self.form("/upload/", &fields).await.expect(200);
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn chunk(&self, upload: &str, order: usize, bytes: &[u8], query: &str) -> Answer {
        let path = format!("/upload/{upload}/chunk/?order={order}&size={}{query}", bytes.len());
        let part = multipart::Part::bytes(bytes.to_vec()).file_name("chunk.bin");
        let form = multipart::Form::new().part("chunk", part);
        self.send(self.request(Method::POST, &path).multipart(form)).await
    }
}

/// Bytes that do not repeat early.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .collect()
}
