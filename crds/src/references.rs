//! References to Secrets. Always in the namespace of the object that holds the reference: a reference that crossed
//! namespaces would let the author of a manifest use credentials that are not theirs.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

fn api_key() -> String {
    "apiKey".to_owned()
}

/// One key of a Secret in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyReference {
    /// Name of the Secret, for example `fastio-api`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key within the Secret. Default: `apiKey`.
    #[serde(default = "api_key")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// A Secret in the same namespace, with the keys that its type defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Name of the Secret, for example `temporal-client-tls`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
