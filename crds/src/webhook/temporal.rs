//! `spec.temporal`: the connection to Temporal.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::references::{SecretKeyReference, SecretReference};

/// How to reach Temporal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemporalConnection {
    /// Host and port of Temporal's frontend. Example: `temporal-frontend.temporal:7233`.
    #[schemars(length(min = 1, max = 261), regex(pattern = "^[a-zA-Z0-9.-]+:[0-9]{1,5}$"))]
    pub address: String,

    /// Temporal namespace. Default: `default`.
    #[serde(default = "default_namespace")]
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,

    /// TLS. Default: none, unless an API key is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TemporalTls>,

    /// Secret in the same namespace with an API key, as Temporal Cloud uses them. Turns TLS on.
    /// Example: `{name: temporal-cloud, key: apiKey}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_secret_ref: Option<SecretKeyReference>,
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// TLS towards Temporal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemporalTls {
    /// Secret in the same namespace with the CA of the server's certificate under the key `ca.crt`. Default: the CAs
    /// that the image trusts. Example: `{name: temporal-ca}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretReference>,

    /// Secret of type `kubernetes.io/tls` in the same namespace with the client certificate (`tls.crt`, `tls.key`).
    /// Default: no client certificate. Example: `{name: temporal-client-tls}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cert_secret_ref: Option<SecretReference>,

    /// Name to expect in the server's certificate. Default: the host in `address`. Example: `temporal.internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}
