//! The client against the simulated service, which was written from the same sources by itself.

// Clippy knows functions with `#[test]` as tests, and not what they share.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastio::{
    ApiKey, ApiKeySource, Changes, Client, ErrorClass, EventSearch, ExposeSecret, NewSubscription, NodeId,
    NodeKind, SubscriptionChange, UploadStatus, Webhooks, WorkspaceId,
};
use fastio_simulator::{Settings, Simulator, WebhookDialect};

const KEY: &str = "key-of-the-tests";
const WAIT: Duration = Duration::from_secs(10);

struct Service {
    client: Client,
    ws: WorkspaceId,
    simulator: Simulator,
    _state: tempfile::TempDir,
}

async fn service(change: impl FnOnce(&mut Settings)) -> Service {
    // Fails when another test of this process was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let state = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(state.path());
    settings.api_keys = vec![KEY.to_owned()];
    settings.workspaces = vec!["studio=1234567890123456789".parse().unwrap()];
    change(&mut settings);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let simulator = Simulator::start(settings, listener).unwrap();
    let key = ApiKeySource::Static(ApiKey::new(KEY).unwrap());
    let client = Client::new(simulator.api_base().parse().unwrap(), key).unwrap();
    Service { client, ws: "1234567890123456789".parse().unwrap(), simulator, _state: state }
}

impl Service {
    async fn upload(&self, folder: &NodeId, name: &str, content: &'static str) -> NodeId {
        let bytes = Bytes::from_static(content.as_bytes());
        let started = self.client.upload_small(&self.ws, folder, name, bytes).await.unwrap();
        loop {
            match self.client.upload_status(&started.id, WAIT).await.unwrap() {
                UploadStatus::Stored(node) => return node,
                UploadStatus::InProgress => {}
                failed => panic!("{failed:?}"),
            }
        }
    }
}

#[tokio::test]
async fn files_are_found_moved_renamed_and_listed() {
    let service = service(|_| {}).await;
    let (client, ws) = (&service.client, &service.ws);
    let raw = client.create_folder(ws, &NodeId::root(), "raw").await.unwrap();
    let node = service.upload(&NodeId::root(), "a & b.jpg", "first").await;
    assert_eq!(service.upload(&NodeId::root(), "a & b.jpg", "second").await, node);

    let versions = client.versions(ws, &node).await.unwrap();
    let sizes: BTreeSet<_> = versions.iter().map(|version| version.size.unwrap()).collect();
    assert_eq!((versions.len(), sizes), (2, BTreeSet::from([5, 6])));
    let current = client.node(ws, &node).await.unwrap().version.unwrap();
    assert!(versions.iter().any(|version| version.id == current));

    assert_eq!(client.move_node(ws, &node, &raw.id).await.unwrap().parent, Some(raw.id.clone()));
    assert_eq!(client.rename_node(ws, &node, "c.jpg").await.unwrap().name, "c.jpg");
    let found = client.search_files(ws, "C.J", 10, 0).await.unwrap();
    assert_eq!(found.found[&node].name, "c.jpg");
    assert_eq!((found.found[&node].kind, found.has_more), (NodeKind::File, false));

    let page = client.inventory_page(ws, None).await.unwrap();
    let paths: Vec<_> = page.nodes.iter().map(|node| node.path.as_deref()).collect();
    assert_eq!((paths, page.next), (vec![Some("/raw/c.jpg")], None));
    let orgs = client.orgs().await.unwrap();
    assert_eq!(client.org_workspaces(&orgs[0].id).await.unwrap()[0].id, *ws);

    client.delete_node(ws, &node).await.unwrap();
    assert!(client.inventory_page(ws, None).await.unwrap().nodes.is_empty());
}

#[tokio::test]
async fn log_and_feed_tell_the_same() {
    let service = service(|settings| settings.change_cursor_lifetime = Duration::from_secs(2)).await;
    let (client, ws) = (&service.client, &service.ws);
    let org = client.orgs().await.unwrap().remove(0).id;
    let Changes::Page(start) = client.org_changes(&org, None, 250).await.unwrap() else { panic!() };
    let before = jiff::Timestamp::now();
    let node = service.upload(&NodeId::root(), "a.jpg", "a").await;
    client.rename_node(ws, &node, "b.jpg").await.unwrap();

    let mut fed = Vec::new();
    let mut cursor = start.cursor;
    let mut more = true;
    while more {
        let Changes::Page(page) = client.org_changes(&org, Some(&cursor), 1).await.unwrap() else { panic!() };
        fed.extend(page.changes);
        (cursor, more) = (page.cursor, page.has_more);
    }
    assert!(fed.iter().all(|change| change.profile == ws.as_str() && change.profile_type == "workspace"));

    let search = EventSearch {
        created_min: Some(before),
        names: ["workspace_storage_file_added", "workspace_storage_file_updated"].map(str::to_owned).to_vec(),
        limit: 1,
        ..EventSearch::new(ws.clone())
    };
    let (mut logged, mut cursor_of_log) = (Vec::new(), None);
    loop {
        let page = client.search_events(&search, cursor_of_log.as_ref()).await.unwrap();
        logged.extend(page.events);
        cursor_of_log = page.next;
        if cursor_of_log.is_none() {
            break;
        }
    }
    let me = client.auth_check().await.unwrap();
    assert!(
        logged.iter().all(|event| event.caller.as_ref() == Some(&me) && event.object.as_ref() == Some(&node))
    );
    let ids = |ids: Vec<&fastio::EventId>| ids.into_iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(logged.len(), 2);
    assert!(
        ids(fed.iter().map(|change| &change.id).collect())
            .is_superset(&ids(logged.iter().map(|event| &event.id).collect()))
    );

    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(client.org_changes(&org, Some(&cursor), 1).await.unwrap(), Changes::CursorExpired);
    let nonsense = serde_json::from_value("nonsense".into()).unwrap();
    assert_eq!(client.org_changes(&org, Some(&nonsense), 1).await.unwrap(), Changes::CursorExpired);
}

#[tokio::test]
async fn a_poll_ends_with_the_change() {
    let service = service(|_| {}).await;
    let (client, ws) = (&service.client, &service.ws);
    let start = client.poll_activity(ws, None, WAIT).await.unwrap();
    let began = Instant::now();
    let (activity, ()) = tokio::join!(client.poll_activity(ws, Some(&start.last), WAIT), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        client.create_folder(ws, &NodeId::root(), "raw").await.unwrap();
    });
    let activity = activity.unwrap();
    assert!(activity.touches_storage(), "{activity:?}");
    assert!(began.elapsed() >= Duration::from_millis(200) && began.elapsed() < WAIT);
    let quiet = client.poll_activity(ws, Some(&activity.last), Duration::from_secs(1)).await.unwrap();
    assert!(!quiet.touches_storage(), "{quiet:?}");
}

#[tokio::test]
async fn subscriptions_of_the_retired_api() {
    let service = service(|settings| settings.webhooks = Some(WebhookDialect::Subscriptions)).await;
    let (client, ws) = (&service.client, &service.ws);
    assert_eq!(client.list_webhooks(ws).await.unwrap(), Webhooks::Unsupported);
    let new = NewSubscription {
        url: "https://hooks.example/studio".parse().unwrap(),
        events: BTreeSet::from(["workspace_storage_file_added".to_owned()]),
        description: Some("studio".to_owned()),
        rate_limit_per_hour: Some(100),
        family_allowlist: BTreeSet::new(),
    };
    let made = client.create_subscription(ws, &new).await.unwrap().supported().unwrap();
    assert_eq!((&made.subscription.events, made.subscription.rate_limit_per_hour), (&new.events, Some(100)));
    let id = &made.subscription.id;
    assert_eq!(client.subscriptions(ws).await.unwrap(), Webhooks::Supported(vec![made.subscription.clone()]));
    let change = SubscriptionChange { enabled: Some(false), ..SubscriptionChange::default() };
    let changed = client.update_subscription(id, &change).await.unwrap().supported().unwrap();
    assert!(!changed.enabled);
    assert_eq!(client.subscription(id).await.unwrap(), Webhooks::Supported(changed));
    let rotated = client.rotate_subscription_secret(id).await.unwrap().supported().unwrap();
    assert_ne!(rotated.expose_secret(), made.secret.expose_secret());
    client.delete_subscription(id).await.unwrap().supported().unwrap();
    assert_eq!(client.subscription(id).await.unwrap_err().class(), ErrorClass::Gone);
    let local = NewSubscription { url: "https://127.0.0.1/x".parse().unwrap(), ..new };
    assert_eq!(client.create_subscription(ws, &local).await.unwrap_err().class(), ErrorClass::Invalid);
}

#[tokio::test]
async fn a_limit_is_seen_before_it_is_hit() {
    let service = service(|settings| settings.rate_limit = 40).await;
    let made = AtomicU32::new(0);
    let calls = async {
        loop {
            service.client.auth_check().await.unwrap();
            made.fetch_add(1, Ordering::Relaxed);
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(3), calls).await.is_err());
    // The last quarter of a minute's forty is spread over the minute.
    let made = made.into_inner();
    assert!((29..=33).contains(&made), "{made} calls in the first seconds");
    let control = service.simulator.api_base().replace("/current", "/control/calls");
    let calls = reqwest::get(control).await.unwrap().text().await.unwrap();
    assert!(calls.contains("auth.check") && !calls.contains("429"), "{calls}");
}
