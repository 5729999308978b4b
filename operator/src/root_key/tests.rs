use std::sync::Arc;

use super::*;
use crate::fakes::FakeApi;

fn secret(api: &Arc<FakeApi>) -> RootKeySecret {
    RootKeySecret::new(api.client(), "fastio-system", "root")
}

#[tokio::test]
async fn a_root_key_is_made_once() {
    let api = FakeApi::new();
    let first = secret(&api).load_or_create().await.unwrap();
    let second = secret(&api).load_or_create().await.unwrap();
    assert_eq!(first.expose(), second.expose());
    assert_eq!(api.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_root_key_is_written_again_from_memory() {
    let api = FakeApi::new();
    let (secret, stop) = (secret(&api), CancellationToken::new());
    let key = secret.load_or_create().await.unwrap();
    api.remove::<Secret>("fastio-system", "root");
    let keeping = {
        let (secret, key, stop) = (secret.clone(), key.clone(), stop.clone());
        tokio::spawn(async move { secret.keep(&key, stop).await })
    };
    tokio::time::sleep(LOOK_AGAIN * 2).await;
    assert_eq!(secret.load().await.unwrap().unwrap().expose(), key.expose());
    stop.cancel();
    keeping.await.unwrap();
}

#[tokio::test]
async fn something_else_in_the_secret_is_never_overwritten() {
    let api = FakeApi::new();
    secret(&api).load_or_create().await.unwrap();
    let other = serde_json::json!({"data": {KEY: ByteString(b"short".to_vec())}});
    api.set::<Secret>("fastio-system", "root", &other);
    api.writes();
    let error = secret(&api).load_or_create().await.unwrap_err().to_string();
    assert!(
        error.contains("fastio-system/root, key rootKey: the root key has 5 bytes instead of 32"),
        "{error}"
    );
    assert!(api.writes().is_empty());
}
