//! The ways in which events come in, and changes from one to another.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::*;

pub(super) const RECEIVER: &str = "studio-receiver";

impl World {
    /// Arguments of a Deployment's only container.
    pub(super) fn args(&self, name: &str) -> Vec<String> {
        let deployment: Deployment = self.api.get("media", name).unwrap();
        let mut containers = deployment.spec.unwrap().template.spec.unwrap().containers;
        containers.remove(0).args.unwrap()
    }

    pub(super) fn follow(&self) -> String {
        let args = self.args("studio-intake");
        args.iter().find_map(|arg| arg.strip_prefix("--follow=")).unwrap().to_owned()
    }

    /// What there is of a receiver: Deployment, Service, account, signing Secret.
    pub(super) fn receiver(&self) -> [bool; 4] {
        [
            self.api.get::<Deployment>("media", RECEIVER).is_some(),
            self.api.get::<Service>("media", RECEIVER).is_some(),
            self.api.get::<ServiceAccount>("media", RECEIVER).is_some(),
            self.api.get::<Secret>("media", "studio-signing-secret").is_some(),
        ]
    }

    pub(super) fn delivery(&self) -> String {
        self.get().status.unwrap().delivery.unwrap()
    }

    pub(super) fn webhook_calls(&self) -> usize {
        self.fastio.calls().iter().filter(|call| call.contains("/webhooks/")).count()
    }
}

#[tokio::test]
async fn pull_needs_neither_a_receiver_nor_a_service_with_webhooks() {
    for spec in [json!({"delivery": "Pull"}), json!({"delivery": "Auto", "endpoint": null})] {
        let world = World::with(&spec).await;
        world.fastio.without_webhooks();
        world.ready().await;
        assert_eq!(world.receiver(), [false; 4]);
        assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("live", "Pull"));
        assert_eq!(world.message(), "events of workspace 123 are pulled from the change feed");
        let status = world.get().status.unwrap();
        assert_eq!((status.url, status.receivers, status.webhook_id), (None, None, None));
        assert_eq!(world.webhook_calls(), 0);
        assert!(world.args("studio-intake").contains(&"--relist-seconds=3600".to_owned()));
        // Nothing was registered: nothing holds the deletion, not even a key that is gone.
        world.api.remove::<Secret>("media", "fastio-api");
        world.delete();
        world.let_go().await;
    }
}

#[tokio::test]
async fn push_follows_nothing_and_both_has_a_net() {
    for (delivery, follow, message) in [
        ("Push", "none", "events of workspace 123 are pushed"),
        ("Both", "net", "events of workspace 123 are pushed, with the change feed as a safety net"),
        ("Auto", "net", "events of workspace 123 are pushed, with the change feed as a safety net"),
    ] {
        let world = World::with(&json!({"delivery": delivery})).await;
        world.ready().await;
        assert_eq!(world.follow(), follow);
        assert_eq!(world.delivery(), if delivery == "Push" { "Push" } else { "Both" });
        assert_eq!(world.message(), message);
        assert_eq!(world.receiver(), [true; 4]);
        assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
        assert!(world.args(RECEIVER).contains(&"--signature-scheme=body-hex".to_owned()));
    }
}

#[tokio::test]
async fn from_push_to_pull_nothing_is_removed_before_the_feed_is_followed() {
    let world = World::new().await;
    world.ready().await;
    world.change(&json!({"delivery": "Pull"}));
    world.reconcile().await;
    assert_eq!(world.condition("Ready").1, Reason::RollingOut.as_str());
    assert_eq!((world.follow().as_str(), world.receiver()), ("live", [true; 4]));
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);

    world.pods_are_ready();
    assert_eq!(world.reconcile().await, Next::After(RESYNC));
    assert_eq!(world.condition("Ready").0, "True");
    assert!(world.fastio.webhooks().is_empty());
    assert_eq!(world.receiver(), [false; 4]);
    assert!(world.api.get::<Secret>("media", "studio-plan-key").is_some());
    let status = world.get().status.unwrap();
    assert_eq!((status.url, status.receivers), (None, None));
    assert_eq!((status.webhook_id, status.signing_key_fingerprint), (None, None));

    world.change(&json!({"delivery": "Both"}));
    world.ready().await;
    assert_eq!(world.receiver(), [true; 4]);
    assert_eq!(world.fastio.webhooks().len(), 1);
    assert_eq!(world.get().status.unwrap().receivers.as_deref(), Some("2/2"));
}

#[tokio::test]
async fn a_webhook_that_cannot_be_removed_keeps_its_receiver() {
    let world = World::new().await;
    world.ready().await;
    world.fastio.forbid(&["DELETE "]);
    world.change(&json!({"delivery": "Pull"}));
    world.reconcile().await;
    world.pods_are_ready();
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::AccessDenied.as_str());
    assert!(world.message().contains("w1 cannot be removed at Fast.io"), "{}", world.message());
    assert_eq!(world.receiver(), [true; 4]);
    assert_eq!(world.get().status.unwrap().webhook_id.as_deref(), Some("w1"));

    world.fastio.forbid(&[]);
    world.reconcile().await;
    assert_eq!(world.condition("Ready").0, "True");
    assert!(world.fastio.webhooks().is_empty());
    assert_eq!(world.receiver(), [false; 4]);
}

#[tokio::test]
async fn pruning_touches_nothing_of_others() {
    let world = World::new().await;
    world.ready().await;
    world.api.set::<Service>("media", RECEIVER, &json!({"metadata": {"ownerReferences": []}}));
    let mut labels = world.api.get::<ServiceAccount>("media", RECEIVER).unwrap().metadata.labels.unwrap();
    labels.insert("app.kubernetes.io/managed-by".to_owned(), "somebody".to_owned());
    world.api.set::<ServiceAccount>("media", RECEIVER, &json!({"metadata": {"labels": labels}}));
    world.change(&json!({"delivery": "Pull"}));
    world.api.writes();
    world.ready().await;
    assert_eq!(world.receiver(), [false, true, true, false]);
    let deleted: Vec<_> =
        world.api.writes().into_iter().filter(|write| write.starts_with("DELETE")).collect();
    assert_eq!(
        deleted,
        [
            "DELETE /apis/apps/v1/namespaces/media/deployments/studio-receiver",
            "DELETE /api/v1/namespaces/media/secrets/studio-signing-secret",
        ]
    );
}

#[tokio::test]
async fn auto_pulls_where_the_service_has_no_webhooks_and_pushes_once_it_has() {
    let mut world = World::with(&json!({"delivery": "Auto"})).await;
    world.fastio.without_webhooks();
    world.ready().await;
    assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("live", "Pull"));
    assert_eq!(world.receiver(), [false; 4]);
    assert!(world.message().contains("the service has no webhooks"), "{}", world.message());
    assert_eq!(world.webhook_calls(), 1);
    world.reconcile().await;
    assert_eq!(world.webhook_calls(), 0, "it is not asked again at once");

    world.fastio.with_webhooks();
    world.restart();
    world.reconcile().await;
    assert_eq!(world.condition("Ready").1, Reason::RollingOut.as_str());
    world.pods_are_ready();
    world.reconcile().await;
    assert_eq!(world.condition("Ready").0, "True");
    assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("net", "Both"));
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
}

#[tokio::test]
async fn auto_never_takes_down_a_receiver_that_had_a_webhook() {
    let mut world = World::with(&json!({"delivery": "Auto"})).await;
    world.ready().await;
    let before = world.get().status.unwrap();

    world.fastio.without_webhooks();
    world.restart();
    world.ready().await;
    assert_eq!((world.follow().as_str(), world.delivery().as_str()), ("live", "Pull"));
    assert_eq!(world.receiver(), [true; 4]);
    assert!(world.message().contains("the receiver stays"), "{}", world.message());
    let after = world.get().status.unwrap();
    assert_eq!((&after.url, &after.webhook_id), (&before.url, &before.webhook_id));

    world.fastio.break_down(Some(StatusCode::BAD_GATEWAY));
    world.restart();
    world.reconcile().await;
    assert_eq!(world.condition("Ready").1, Reason::Retrying.as_str());
    // An outage rolls nothing out.
    assert_eq!((world.follow().as_str(), world.receiver()), ("live", [true; 4]));

    world.fastio.break_down(None);
    world.fastio.with_webhooks();
    world.restart();
    world.ready().await;
    assert_eq!(world.delivery(), "Both");
    assert_eq!(ids(&world.fastio.webhooks()), ["w1"]);
}

#[tokio::test]
async fn auto_makes_no_receiver_before_it_is_known_whether_one_is_of_use() {
    let world = World::with(&json!({"delivery": "Auto"})).await;
    world.key("bad-key");
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::ApiKeyRejected.as_str());
    assert_eq!((world.follow().as_str(), world.receiver()), ("live", [false; 4]));
    world.key("good-key");
    world.ready().await;
    assert_eq!(world.receiver(), [true; 4]);
}

#[tokio::test]
async fn both_needs_a_service_with_webhooks() {
    let world = World::with(&json!({"delivery": "Both"})).await;
    world.fastio.without_webhooks();
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::WebhooksUnsupported.as_str());
    for word in ["Auto", "Pull", "fastio.baseUrl"] {
        assert!(world.message().contains(word), "{}", world.message());
    }
}

#[tokio::test]
async fn what_the_api_server_refuses_is_refused_here_too() {
    let stamped = |more: Value| {
        let mut signature = json!({"scheme": "StampedHex", "secretRef": {"name": "hand", "key": "secret"}});
        signature.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"receiver": {"replicas": 2, "signature": signature}})
    };
    for (spec, field) in [
        (json!({"endpoint": null}), "spec.endpoint: "),
        (json!({"endpoint": {"url": "https://hooks.example/path"}}), "spec.endpoint.url: "),
        (stamped(json!({"secretRef": null})), "spec.receiver.signature.secretRef: "),
        (
            json!({"receiver": {"replicas": 2, "signature": {"previousSecretKey": "previous"}}}),
            "spec.receiver.signature.previousSecretKey: ",
        ),
        (stamped(json!({"previousSecretKey": "secret"})), "spec.receiver.signature.previousSecretKey: "),
        (stamped(json!({"header": "X-Fastio-timestamp"})), "spec.receiver.signature: "),
        (stamped(json!({"timestampHeader": "x-fastio-signature"})), "spec.receiver.signature: "),
    ] {
        let world = World::with(&spec).await;
        world.secret("hand", "secret", "a secret that is long enough");
        world.reconcile().await;
        assert_eq!(world.stalled(), Reason::InvalidSpec.as_str(), "{spec}");
        assert!(world.message().starts_with(field), "{}", world.message());
    }
}
