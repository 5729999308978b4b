use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use fastio_service::Health;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::*;

/// A Kubernetes API with one kind of object.
#[derive(Default)]
struct Cluster {
    objects: Vec<Value>,
    refuses: bool,
    watch: Option<UnboundedSender<Bytes>>,
    queries: Vec<String>,
}

type Shared = Arc<Mutex<Cluster>>;

fn answer(cluster: &Shared, request: &Request<Body>) -> Response<BoxBody<Bytes, Infallible>> {
    let mut cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
    let query = request.uri().query().unwrap_or_default().to_owned();
    let watches = query.contains("watch=true");
    cluster.queries.push(query);
    if cluster.refuses {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no"});
        let mut refusal = Response::new(Full::new(Bytes::from(status.to_string())).boxed());
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        return refusal;
    }
    if watches {
        let (sender, receiver) = unbounded();
        cluster.watch = Some(sender);
        let body = StreamBody::new(receiver.map(|bytes| Ok(Frame::data(bytes))));
        return Response::new(BodyExt::boxed(body));
    }
    let list = json!({"kind": "FilePipelineList", "apiVersion": "pipelines.fast.io/v1alpha1",
        "metadata": {"resourceVersion": "10"}, "items": cluster.objects});
    Response::new(Full::new(Bytes::from(list.to_string())).boxed())
}

fn pipeline(name: &str, folder: &str) -> Value {
    json!({
        "apiVersion": "pipelines.fast.io/v1alpha1", "kind": "FilePipeline",
        "metadata": {"name": name, "namespace": "media", "uid": format!("uid-of-{name}"),
            "creationTimestamp": "2026-02-14T10:30:00Z", "generation": 3, "resourceVersion": "11"},
        "spec": {
            "webhookRef": {"name": "studio"},
            "steps": [{"name": "thumb", "image": {"resize": {"width": 320, "format": "webp"}}}],
            "output": {"folder": folder},
        },
    })
}

struct World {
    cluster: Shared,
    view: LiveView,
    synced: Condition,
}

fn world(objects: Vec<Value>) -> World {
    let cluster = Arc::new(Mutex::new(Cluster { objects, ..Cluster::default() }));
    let api = Arc::clone(&cluster);
    let service = tower::service_fn(move |request: Request<Body>| {
        std::future::ready(Ok::<_, Infallible>(answer(&api, &request)))
    });
    let synced = Health::new().condition("FilePipelines known");
    let metrics = Metrics::register(&mut Registry::default());
    let client = Client::new(service, "media");
    let (view, follower) = live(client, &"media/studio".parse().unwrap(), synced.clone(), metrics);
    tokio::spawn(follower.follow());
    World { cluster, view, synced }
}

impl World {
    fn event(&self, kind: &str, object: &Value) {
        let line = json!({"type": kind, "object": object}).to_string() + "\n";
        let cluster = self.cluster.lock().unwrap();
        cluster.watch.as_ref().unwrap().unbounded_send(line.into()).unwrap();
    }

    fn names(&self) -> Result<Vec<String>, StaleView> {
        let names = |c: Vec<Candidate>| c.iter().map(|c| c.pipeline.name().to_owned()).collect();
        self.view.current().map(names)
    }

    async fn until(&self, expected: Result<&[&str], StaleView>) {
        let expected = expected.map(|names| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
        for _ in 0..200 {
            let watching = self.cluster.lock().unwrap().watch.is_some();
            if self.names() == expected && (watching || expected.is_err()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("expected {expected:?}, there is {:?}", self.names());
    }
}

#[tokio::test]
async fn what_is_applied_and_deleted_counts_at_once() {
    let world = world(vec![pipeline("photos", "/out")]);
    assert_eq!(world.view.current(), Err(StaleView));
    world.until(Ok(&["photos"])).await;
    assert!(world.synced.is_met());
    let asked = world.cluster.lock().unwrap().queries.clone();
    assert!(asked.iter().all(|q| q.contains("fieldSelector=spec.webhookRef.name%3Dstudio")), "{asked:?}");

    world.event("ADDED", &pipeline("art", "/art"));
    world.until(Ok(&["art", "photos"])).await;
    world.event("DELETED", &pipeline("photos", "/out"));
    world.until(Ok(&["art"])).await;

    let mut going = pipeline("art", "/art");
    going["metadata"]["deletionTimestamp"] = json!("2026-02-14T10:30:00Z");
    world.event("MODIFIED", &going);
    world.until(Ok(&[])).await;
}

#[tokio::test]
async fn a_broken_object_hides_no_other_and_says_what_is_wrong() {
    let mut poison = pipeline("poison", "/out");
    poison["spec"]["steps"] = json!("none");
    let mut foreign = pipeline("foreign", "/out");
    foreign["spec"]["webhookRef"]["name"] = json!("another");
    let mut photos = pipeline("photos", "/out");
    photos["spec"]["backfill"] = json!({});
    let world = world(vec![photos, poison, pipeline("wrong", "/out/{nothing}"), foreign]);
    world.until(Ok(&["photos", "poison", "wrong"])).await;
    let candidates = world.view.current().unwrap();
    assert_eq!(candidates[0].plan.as_ref().unwrap().generation, 3);
    assert_eq!(candidates[0].uid, "uid-of-photos");
    assert_eq!(candidates[0].created, Some("2026-02-14T10:30:00Z".parse().unwrap()));
    assert_eq!(candidates[0].backfill.unwrap().get(), 60, "the default of the CRD");
    assert!(candidates[1].plan.is_err());
    assert!(
        candidates[2].plan.as_ref().unwrap_err().starts_with("spec.output.folder"),
        "{:?}",
        candidates[2]
    );
}

#[tokio::test]
async fn a_watch_that_fails_makes_the_view_stale_until_there_is_a_new_list() {
    let world = world(vec![pipeline("photos", "/out")]);
    world.until(Ok(&["photos"])).await;
    {
        let mut cluster = world.cluster.lock().unwrap();
        cluster.refuses = true;
        cluster.objects = vec![pipeline("art", "/art")];
        cluster.watch = None;
    }
    world.until(Err(StaleView)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.names(), Err(StaleView));
    assert!(world.synced.is_met(), "an outage of the API server takes nobody out of anything");

    world.cluster.lock().unwrap().refuses = false;
    world.until(Ok(&["art"])).await;
}

#[tokio::test]
async fn an_error_within_the_watch_starts_it_over() {
    let world = world(vec![pipeline("photos", "/out")]);
    world.until(Ok(&["photos"])).await;
    world.cluster.lock().unwrap().objects.push(pipeline("art", "/art"));
    let expired = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"});
    world.event("ERROR", &expired);
    world.until(Ok(&["art", "photos"])).await;
}
