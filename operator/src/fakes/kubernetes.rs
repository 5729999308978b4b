//! An API server: objects by path, `get`, `create`, apply and merge patches, deletion with preconditions, the status
//! subresource, finalizers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::service_fn;

#[derive(Default)]
pub(crate) struct FakeApi {
    objects: Mutex<BTreeMap<String, Value>>,
    writes: Mutex<Vec<String>>,
    version: Mutex<u64>,
    /// Objects of this kind cannot be had, by the end of the kind's path.
    unavailable: Mutex<Option<String>>,
}

/// Path of an object of a kind.
fn path<K: Resource<DynamicType = ()>>(namespace: &str, name: &str) -> String {
    format!("{}/{name}", K::url_path(&(), Some(namespace)))
}

impl FakeApi {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        let api = Arc::clone(self);
        let service = service_fn(move |request: Request<Body>| {
            let api = Arc::clone(&api);
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        Client::new(service, "default")
    }

    /// Puts an object there, as a user or a controller of Kubernetes would.
    pub(crate) fn put<K: Resource<DynamicType = ()> + Serialize>(&self, object: &K) {
        let metadata = object.meta();
        let (namespace, name) = (metadata.namespace.clone().unwrap(), metadata.name.clone().unwrap());
        self.objects
            .lock()
            .unwrap()
            .insert(path::<K>(&namespace, &name), serde_json::to_value(object).unwrap());
    }

    pub(crate) fn get<K: Resource<DynamicType = ()> + DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<K> {
        self.get_as::<K, K>(namespace, name)
    }

    /// An object of kind `K` in another form.
    pub(crate) fn get_as<K: Resource<DynamicType = ()>, T: DeserializeOwned>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<T> {
        let object = self.objects.lock().unwrap().get(&path::<K>(namespace, name)).cloned();
        object.map(|object| serde_json::from_value(object).unwrap())
    }

    pub(crate) fn remove<K: Resource<DynamicType = ()>>(&self, namespace: &str, name: &str) {
        self.objects.lock().unwrap().remove(&path::<K>(namespace, name));
    }

    /// Sets a part of an object.
    pub(crate) fn set<K: Resource<DynamicType = ()>>(&self, namespace: &str, name: &str, change: &Value) {
        let mut objects = self.objects.lock().unwrap();
        merge(objects.get_mut(&path::<K>(namespace, name)).unwrap(), change);
    }

    /// From now on, the API server fails when it is asked for objects of a kind.
    pub(crate) fn break_down<K: Resource<DynamicType = ()>>(&self) {
        *self.unavailable.lock().unwrap() = Some(format!("/{}/", K::plural(&())));
    }

    /// Writes since the last call, events left out.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut *self.writes.lock().unwrap())
    }

    async fn answer(&self, request: Request<Body>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = parts.uri.path();
        let (object, is_status) = path.strip_suffix("/status").map_or((path, false), |object| (object, true));
        if path.contains("/events") {
            return reply(StatusCode::CREATED, &body);
        }
        if self.unavailable.lock().unwrap().as_ref().is_some_and(|kind| path.contains(kind)) {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        if parts.method != Method::GET {
            self.writes.lock().unwrap().push(format!("{} {path}", parts.method));
        }
        let mut objects = self.objects.lock().unwrap();
        match parts.method {
            Method::GET => objects
                .get(object)
                .map_or_else(|| refusal(StatusCode::NOT_FOUND, "NotFound"), |it| reply(StatusCode::OK, it)),
            Method::POST => {
                let name = body.pointer("/metadata/name").and_then(Value::as_str).unwrap();
                let object = format!("{object}/{name}");
                if objects.contains_key(&object) {
                    return refusal(StatusCode::CONFLICT, "AlreadyExists");
                }
                let stored = self.stored(&Value::Null, &body, false);
                objects.insert(object, stored.clone());
                reply(StatusCode::CREATED, &stored)
            }
            Method::PATCH => {
                let before = objects.get(object).cloned();
                let wanted =
                    |field: &str| body.pointer(&format!("/metadata/{field}")).filter(|it| !it.is_null());
                let differs = |field: &str| {
                    let now = before.as_ref().and_then(|it| it.pointer(&format!("/metadata/{field}")));
                    wanted(field).is_some_and(|wanted| Some(wanted) != now)
                };
                if differs("uid") || differs("resourceVersion") {
                    return refusal(StatusCode::CONFLICT, "Conflict");
                }
                if before.is_none() && (is_status || wanted("finalizers").is_some()) {
                    return refusal(StatusCode::NOT_FOUND, "NotFound");
                }
                let stored = self.stored(&before.unwrap_or_default(), &body, is_status);
                if is_gone(&stored) {
                    objects.remove(object);
                } else {
                    objects.insert(object.to_owned(), stored.clone());
                }
                reply(StatusCode::OK, &stored)
            }
            Method::DELETE => {
                let Some(found) = objects.get(object) else {
                    return refusal(StatusCode::NOT_FOUND, "NotFound");
                };
                let as_seen = |field: &str| {
                    let wanted = body.pointer(&format!("/preconditions/{field}"));
                    wanted.is_some() && wanted == found.pointer(&format!("/metadata/{field}"))
                };
                if !(as_seen("uid") && as_seen("resourceVersion")) {
                    return refusal(StatusCode::CONFLICT, "Conflict");
                }
                // A child in the foreground stays until what it made has ended.
                let foreground = body["propagationPolicy"] == "Foreground";
                if foreground {
                    let deleted = json!({"metadata": {"deletionTimestamp": "2026-10-01T10:00:00Z",
                        "finalizers": ["foregroundDeletion"]}});
                    let stored = self.stored(&found.clone(), &deleted, false);
                    objects.insert(object.to_owned(), stored);
                } else {
                    objects.remove(object);
                }
                reply(StatusCode::OK, &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
            }
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn stored(&self, before: &Value, change: &Value, is_status: bool) -> Value {
        let mut object = before.clone();
        if is_status {
            object["status"] = change["status"].clone();
        } else {
            merge(&mut object, change);
        }
        if object == *before {
            return object;
        }
        let mut version = self.version.lock().unwrap();
        *version += 1;
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(version.to_string());
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("uid-{version}"));
        }
        if object["spec"] != before["spec"] {
            let generation = before.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
            object["metadata"]["generation"] = json!(generation + 1);
        }
        object
    }
}

/// Deleted, and let go by the last finalizer.
fn is_gone(object: &Value) -> bool {
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    object.pointer("/metadata/deletionTimestamp").is_some() && finalizers.is_none_or(Vec::is_empty)
}

fn merge(object: &mut Value, change: &Value) {
    match (object, change) {
        (Value::Object(object), Value::Object(change)) => {
            for (field, value) in change {
                merge(object.entry(field.clone()).or_insert(Value::Null), value);
            }
        }
        (object, change) => *object = change.clone(),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from(body.to_string()));
    Response::builder().status(status).body(body).unwrap()
}

fn refusal(status: StatusCode, reason: &str) -> Response<Full<Bytes>> {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
        "message": reason, "code": status.as_u16()});
    reply(status, &body)
}
