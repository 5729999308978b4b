//! The files with which a container calls Fast.io and authenticates plans: the API key and the plan key.

use fastio::BaseUrl;
use fastio_crds::SecretKeyReference;

use super::mounts::SecretMount;

/// Key of the plan key in its Secret.
pub const PLAN_KEY: &str = "key";

const API_KEY_DIR: &str = "/var/run/secrets/fastio/api-key";
const PLAN_KEY_DIR: &str = "/var/run/secrets/fastio/plan-key";

/// Name of the Secret with a webhook's signing secret.
#[must_use]
pub fn signing_secret_name(webhook: &str) -> String {
    format!("{webhook}-signing-secret")
}

/// Name of the Secret with a webhook's plan key.
#[must_use]
pub fn plan_key_name(webhook: &str) -> String {
    format!("{webhook}-plan-key")
}

/// Mounts of the API key and the plan key of a webhook.
#[must_use]
pub fn mounts(api_key: &SecretKeyReference, webhook: &str) -> [SecretMount; 2] {
    [
        SecretMount::new("api-key", API_KEY_DIR, &api_key.name, &[(&api_key.key, "apiKey")]),
        SecretMount::new("plan-key", PLAN_KEY_DIR, &plan_key_name(webhook), &[(PLAN_KEY, PLAN_KEY)]),
    ]
}

/// The flags that name these files, and where Fast.io is.
#[must_use]
pub fn flags(base_url: &BaseUrl) -> [String; 3] {
    [
        format!("--fastio-base-url={base_url}"),
        format!("--api-key-file={API_KEY_DIR}/apiKey"),
        format!("--plan-key-file={PLAN_KEY_DIR}/{PLAN_KEY}"),
    ]
}
