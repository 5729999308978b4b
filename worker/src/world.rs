//! What the tests of the engines work in: a simulated Fast.io, and a scratch directory.

use bytes::Bytes;
use fastio::{ApiKey, ApiKeySource, Client, Node, NodeId, UploadStatus, WorkspaceId};
use fastio_pipeline::results::FolderPath;
use fastio_pipeline::run::{ContentHash, RunRequest, SourceFile};
use fastio_pipeline::seal::PlanKey;
use fastio_simulator::{Settings, Simulator};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::scratch::{Claim, Room, RunFolder, Scratch};

const WORKSPACE: &str = "1234567890123456789";
const KEY: &str = "key-of-the-worker";
const OTHER_KEY: &str = "key-of-somebody-else";

pub(crate) struct World {
    simulator: Simulator,
    pub(crate) client: Client,
    /// Somebody else with rights in the same workspace.
    pub(crate) other: Client,
    pub(crate) workspace: WorkspaceId,
    pub(crate) scratch: Scratch,
    _scratch: TempDir,
    _data: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        // An error means that another test was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (data, scratch_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut settings = Settings::new(data.path());
        settings.workspaces = vec![format!("Studio={WORKSPACE}").parse().unwrap()];
        settings.api_keys = vec![KEY.to_owned()];
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = Simulator::start(settings, listener).unwrap();
        let client = |key: &str| {
            let key = ApiKeySource::Static(ApiKey::new(key).unwrap());
            Client::new(simulator.api_base().parse().unwrap(), key).unwrap()
        };
        let world = Self {
            client: client(KEY),
            other: client(OTHER_KEY),
            workspace: WORKSPACE.parse().unwrap(),
            scratch: Scratch::open(scratch_dir.path()).unwrap(),
            _scratch: scratch_dir,
            simulator,
            _data: data,
        };
        world.control("api-keys", json!({"key": OTHER_KEY, "user": "Somebody Else"})).await;
        world
    }

    /// Where something is in the simulator's control API.
    pub(crate) fn control_url(&self, path: &str) -> String {
        format!("http://{}/control/{path}", self.simulator.address())
    }

    /// Asks the simulator's control API for something.
    pub(crate) async fn control(&self, path: &str, body: Value) {
        let reply = reqwest::Client::new().post(self.control_url(path)).json(&body).send().await.unwrap();
        assert!(reply.status().is_success(), "{path}: {}", reply.text().await.unwrap());
    }

    /// Lets files be made, but no marker be written on them.
    pub(crate) async fn no_markers(&self) {
        let fault = json!({"kind": "fail", "operation": "metadata.set_facts", "status": 503, "times": 20});
        self.control("faults", fault).await;
    }

    /// Takes every fault away.
    pub(crate) async fn no_faults(&self) {
        let reply = reqwest::Client::new().delete(self.control_url("faults")).send().await.unwrap();
        assert!(reply.status().is_success());
    }

    /// How often the service was asked for something, by HTTP status.
    pub(crate) async fn calls(&self, operation: &str) -> Vec<(u16, u64)> {
        let reply: Value = reqwest::get(self.control_url("calls")).await.unwrap().json().await.unwrap();
        let mut calls: Vec<(u16, u64)> = reply["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|call| call["operation"] == operation)
            .flat_map(|call| call["statuses"].as_object().unwrap().clone())
            .map(|(status, count)| (status.parse().unwrap(), count.as_u64().unwrap()))
            .collect();
        calls.sort_unstable();
        calls
    }

    /// Puts a file into a folder as the given user, and returns its node.
    pub(crate) async fn put(&self, who: &Client, folder: &NodeId, name: &str, content: &[u8]) -> Node {
        let content = Bytes::copy_from_slice(content);
        let started = who.upload_small(&self.workspace, folder, name, content).await.unwrap();
        let id = loop {
            match who.upload_status(&started.id, std::time::Duration::from_secs(2)).await.unwrap() {
                UploadStatus::Stored(id) => break id,
                UploadStatus::Failed { message } => panic!("{message}"),
                _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        };
        who.node(&self.workspace, &id).await.unwrap()
    }

    /// Removes a file for good, with everything else that is in the trash.
    pub(crate) async fn purge(&self, source: &SourceFile) {
        self.other.delete_node(&self.workspace, &source.id.as_str().parse().unwrap()).await.unwrap();
        self.other.delete_node(&self.workspace, &"trash".parse().unwrap()).await.unwrap();
    }

    /// A source file in the root folder.
    pub(crate) async fn source(&self, name: &str, content: &[u8]) -> SourceFile {
        let node = self.put(&self.other, &NodeId::root(), name, content).await;
        let source = source_file(&node);
        assert_eq!(source.hash.as_ref().unwrap().value, hex::encode(Sha256::digest(content)));
        source
    }

    /// The node at a path.
    pub(crate) async fn node_at(&self, path: &[&str]) -> Option<Node> {
        let mut node: Option<Node> = None;
        for name in path {
            let parent = node.map_or_else(NodeId::root, |node| node.id);
            node = self.client.find_child(&self.workspace, &parent, name).await.unwrap();
            node.as_ref()?;
        }
        node
    }

    /// The folder of a run, claimed.
    pub(crate) async fn claimed(&self, request: &RunRequest) -> RunFolder {
        let room = Room::open(self.scratch.clone(), u64::MAX, 100).unwrap();
        let workflow_id = request.workflow_id.to_string();
        let sealed = plan_key().seal(request).unwrap();
        let claim = Claim { workflow_id: workflow_id.clone(), run_id: "run-1".to_owned(), bytes: 1, sealed };
        room.claim(&claim).await.unwrap();
        self.scratch.run(&workflow_id)
    }
}

pub(crate) fn plan_key() -> PlanKey {
    PlanKey::new(&[7; 32]).unwrap()
}

pub(crate) fn source_file(node: &Node) -> SourceFile {
    SourceFile {
        workspace: WORKSPACE.parse().unwrap(),
        id: node.id.as_str().parse().unwrap(),
        version: node.version.as_ref().map(|version| version.as_str().parse().unwrap()),
        name: node.name.clone(),
        folder: FolderPath::default(),
        size: node.size.unwrap(),
        hash: node
            .hash
            .as_ref()
            .map(|hash| ContentHash { algorithm: "sha256".to_owned(), value: hash.value.clone() }),
        mimetype: node.mimetype.clone(),
        trashed: node.deleted,
    }
}

/// A run that makes `beach.thumb.webp` and, from that, `beach.tiny.png` in `/processed`.
pub(crate) fn request(source: &SourceFile) -> RunRequest {
    let resize = |width: u32, format: &str| json!({"imageResize": {"width": width, "fit": "inside", "format": format, "quality": 80}});
    let request = json!({
        "workflowId": format!("fastio:run:media/photos:{}:{}", source.id, source.version.as_ref().map_or("unversioned", |version| version.as_str())),
        "webhook": "media/studio",
        "event": {"id": "evt-1", "kind": "upload", "workspace": WORKSPACE, "file": source.id},
        "source": source,
        "plan": {
            "pipeline": "media/photos",
            "generation": 1,
            "match": {"events": ["upload"]},
            "steps": [
                {"name": "thumb", "action": resize(320, "webp")},
                {"name": "tiny", "from": "thumb", "action": resize(32, "png")},
            ],
            "output": "/processed",
            "successComment": "{results} in {output.folder}",
            "failureComment": "failed: {error}",
        },
    });
    serde_json::from_value(request).unwrap()
}
