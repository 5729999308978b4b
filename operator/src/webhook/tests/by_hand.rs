//! Webhooks that were made by hand.

use super::*;

fn by_hand(more: &Value) -> Value {
    let mut signature = json!({"scheme": "StampedBase64", "secretEncoding": "Hex",
        "secretRef": {"name": "fastio-webhook", "key": "secret"}});
    signature.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"receiver": {"replicas": 2, "signature": signature}})
}

impl World {
    fn signing_volume(&self) -> Value {
        let pod = self.api.get::<Deployment>("media", "studio-receiver").unwrap().spec.unwrap().template;
        let volumes = pod.spec.unwrap().volumes.unwrap();
        serde_json::to_value(volumes.into_iter().find(|volume| volume.name == "signing")).unwrap()
    }

    fn hand_made(&self, secrets: &[(&str, &str)]) {
        let data: Value = secrets
            .iter()
            .map(|&(key, value)| (key.to_owned(), json!(k8s_openapi::ByteString(value.into()))))
            .collect();
        let secret = json!({"metadata": {"namespace": "media", "name": "fastio-webhook"}, "data": data});
        self.api.put::<Secret>(&serde_json::from_value(secret).unwrap());
    }
}

#[tokio::test]
async fn a_webhook_by_hand_is_not_registered_and_signs_with_its_own_secret() {
    let world = World::with(&by_hand(&json!({"header": "X-Sig", "toleranceSeconds": 60}))).await;
    // The service may even have no API for webhooks.
    world.fastio.without_webhooks();
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::SecretNotFound.as_str());
    assert!(world.message().contains("spec.receiver.signature.secretRef"), "{}", world.message());

    for unusable in ["not hexadecimal at all", "00112233445566"] {
        world.secret("fastio-webhook", "secret", unusable);
        world.reconcile().await;
        assert_eq!(world.stalled(), Reason::SecretInvalid.as_str());
        assert!(!world.message().contains(unusable), "{}", world.message());
    }

    world.secret("fastio-webhook", "secret", &format!("{}\n", "00ff".repeat(8)));
    world.ready().await;
    assert_eq!(world.receiver(), [true, true, true, false]);
    assert_eq!(world.webhook_calls(), 0);
    let flags = world.args("studio-receiver");
    for flag in [
        "--signature-scheme=stamped-base64",
        "--signature-header=X-Sig",
        "--secret-encoding=hex",
        "--signature-tolerance=60",
    ] {
        assert!(flags.contains(&flag.to_owned()), "{flag}: {flags:?}");
    }
    let signing = world.signing_volume();
    assert_eq!(signing["secret"]["secretName"], "fastio-webhook");
    assert_eq!(signing["secret"]["items"], json!([{"key": "secret", "path": "current"}]));
    let status = world.get().status.unwrap();
    assert_eq!(status.url.unwrap(), format!("https://hooks.studio.example/v1/hooks/{UID}"));
    assert!(world.message().contains("by hand"), "{}", world.message());

    world.secret("fastio-webhook", "secret", &"00fe".repeat(8));
    world.reconcile().await;
    assert_eq!(world.condition("Ready").1, Reason::RollingOut.as_str(), "a new secret is rolled out");
}

#[tokio::test]
async fn a_webhook_by_hand_takes_the_place_of_a_registered_one() {
    let world = World::with(&json!({"delivery": "Auto"})).await;
    world.ready().await;
    world.secret("fastio-webhook", "secret", &"00ff".repeat(8));
    world.change(&by_hand(&json!({})));
    world.ready().await;
    assert!(world.fastio.webhooks().is_empty());
    assert_eq!(world.receiver(), [true, true, true, false]);
    assert_eq!((world.delivery().as_str(), world.follow().as_str()), ("Both", "net"));
    let status = world.get().status.unwrap();
    assert_eq!((status.webhook_id, status.signing_key_fingerprint), (None, None));

    world
        .change(&json!({"receiver": {"replicas": 2, "signature": {"scheme": "BodyHex", "secretRef": null}}}));
    world.ready().await;
    assert_eq!(world.fastio.webhooks().len(), 1);
    assert_eq!(world.receiver(), [true; 4]);
}

#[tokio::test]
async fn the_secret_before_is_mounted_too_while_it_is_rotated_out() {
    let world = World::with(&by_hand(&json!({"previousSecretKey": "previous"}))).await;
    let (old, new) = ("00ff".repeat(8), "00fe".repeat(8));
    world.hand_made(&[("secret", &old)]);
    world.ready().await;
    let source = |key, path, optional| {
        let mut secret = json!({"name": "fastio-webhook", "items": [{"key": key, "path": path}]});
        if optional {
            secret["optional"] = json!(true);
        }
        json!({"secret": secret})
    };
    // The secret of today has to be there, the one before it need not: only that may keep a pod from starting.
    assert_eq!(
        world.signing_volume()["projected"]["sources"],
        json!([source("secret", "current", false), source("previous", "previous", true)])
    );

    world.hand_made(&[("secret", &new), ("previous", "0badcafe")]);
    world.reconcile().await;
    assert_eq!(world.stalled(), Reason::SecretInvalid.as_str());
    assert!(world.message().contains("key previous"), "{}", world.message());

    let (old, new) = (old.as_str(), new.as_str());
    for secrets in [
        [("secret", new), ("previous", old)],
        [("secret", old), ("previous", new)],
        [("secret", old), ("previous", "")],
    ] {
        world.hand_made(&secrets);
        world.reconcile().await;
        assert_eq!(world.condition("Ready").1, Reason::RollingOut.as_str(), "{secrets:?} are rolled out");
        world.ready().await;
    }
}
