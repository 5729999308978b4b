//! A simulated Fast.io for the tests of this crate.

use std::time::Duration;

use bytes::Bytes;
use fastio::{ApiKeySource, Client, NodeId, UploadStatus, WorkspaceId};
use fastio_pipeline::event::FileId;
use fastio_simulator::{Settings, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::resolve::Resolver;

const WORKSPACE: &str = "1234567890123456789";
const KEY: &str = "the-key-of-the-operator";

pub(crate) struct Fastio {
    pub(crate) client: Client,
    pub(crate) workspace: WorkspaceId,
    simulator: Simulator,
    _data: tempfile::TempDir,
}

impl Fastio {
    pub(crate) async fn start() -> Self {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(data.path());
        settings.workspaces = vec![format!("studio={WORKSPACE}").parse().unwrap()];
        settings.api_keys = vec![KEY.to_owned()];
        settings.upload_step = Duration::ZERO;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = Simulator::start(settings, listener).unwrap();
        let client = client(&simulator, KEY);
        Self { client, workspace: WORKSPACE.parse().unwrap(), simulator, _data: data }
    }

    pub(crate) fn resolver(&self) -> Resolver {
        Resolver::new(self.client.clone(), self.workspace.clone())
    }

    /// A client with the key of another user.
    pub(crate) async fn somebody_else(&self) -> Client {
        let key = "the-key-of-somebody-else";
        self.control("POST", "api-keys", &format!(r#"{{"key":"{key}","user":"somebody"}}"#)).await;
        client(&self.simulator, key)
    }

    pub(crate) async fn revoke_key(&self) {
        self.control("DELETE", &format!("api-keys/{KEY}"), "").await;
    }

    pub(crate) async fn give_key_back(&self) {
        self.control("POST", "api-keys", &format!(r#"{{"key":"{KEY}"}}"#)).await;
    }

    /// Makes calls of an operation fail. `how` are more fields of the fault.
    pub(crate) async fn fail(&self, operation: &str, how: &str) {
        let fault = format!(r#"{{"kind":"fail","operation":"{operation}",{how}}}"#);
        self.control("POST", "faults", &fault).await;
    }

    /// Asks the simulator's control API for something.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &str) {
        let request = format!(
            "{method} /control/{path} HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.simulator.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
    }

    pub(crate) async fn folder(&self, parent: &NodeId, name: &str) -> NodeId {
        self.client.create_folder(&self.workspace, parent, name).await.unwrap().id
    }

    pub(crate) async fn upload(&self, by: &Client, folder: &NodeId, name: &str) -> FileId {
        let content = Bytes::from_static(b"content");
        let started = by.upload_small(&self.workspace, folder, name, content).await.unwrap();
        loop {
            match by.upload_status(&started.id, Duration::from_secs(1)).await.unwrap() {
                UploadStatus::InProgress => {}
                UploadStatus::Stored(node) => return node.as_str().parse().unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn client(simulator: &Simulator, key: &str) -> Client {
    let base = simulator.api_base().parse().unwrap();
    Client::new(base, ApiKeySource::Static(key.parse().unwrap())).unwrap()
}
