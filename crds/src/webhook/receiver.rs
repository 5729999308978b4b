//! `spec.receiver`: the pods that check signatures, and how deliveries are signed.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::references::SecretKeyReference;

/// The receiver's Deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receiver {
    /// Number of receiver pods. Default: 2, so that events are accepted while one is replaced.
    #[serde(default = "two")]
    #[schemars(range(min = 1, max = 100))]
    pub replicas: i32,

    /// How deliveries are signed.
    #[serde(default)]
    pub signature: Signature,
}

fn two() -> i32 {
    2
}

impl Default for Receiver {
    fn default() -> Self {
        Self { replicas: two(), signature: Signature::default() }
    }
}

/// How deliveries are signed. What is set here alone counts: a request never chooses its scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.timestampHeader) || self.scheme == 'StampedHex'").message("`timestampHeader` belongs to scheme StampedHex; the other schemes have no such header"),
    validation = Rule::new("!has(self.toleranceSeconds) || self.scheme != 'BodyHex'").message("`toleranceSeconds` needs a scheme with a timestamp: StampedBase64 or StampedHex"),
    validation = Rule::new("!has(self.previousSecretKey) || has(self.secretRef)").message("`previousSecretKey` is a key in the Secret of `secretRef`: set both, or neither"),
    validation = Rule::new("!has(self.previousSecretKey) || !has(self.secretRef) || self.previousSecretKey != self.secretRef.key").message("`previousSecretKey` must not be the key in `secretRef`: that one has the secret of today"),
    validation = Rule::new("has(self.secretRef) || self.scheme == 'BodyHex'").message("`secretRef` must be set for this scheme: webhooks that the operator registers are signed as BodyHex")
)]
pub struct Signature {
    /// What is signed and how it is written: `BodyHex`, `sha256=` and the hexadecimal HMAC-SHA256 of the body; `StampedBase64`,
    /// `t=<unix time>,v1=` and the base64 HMAC-SHA256 of time, dot and body; `StampedHex`, as `BodyHex` over time, dot and body, with
    /// the time in a header of its own. Default: `BodyHex`.
    #[serde(default)]
    pub scheme: SignatureScheme,

    /// Header with the signature. Default: `Fastio-Signature`, and `X-Fastio-Signature` for `StampedHex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[A-Za-z0-9-]+$"))]
    pub header: Option<String>,

    /// Header with the unix time, for `StampedHex`. Default: `X-Fastio-Timestamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[A-Za-z0-9-]+$"))]
    pub timestamp_header: Option<String>,

    /// Seconds that a delivery's time may be away from the receiver's clock, for schemes with a time. Default: 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400))]
    pub tolerance_seconds: Option<i32>,

    /// Secret in the same namespace with the signing secret of a webhook that was made by hand, for example in Fast.io's
    /// dashboard with the URL of `status.url`. The operator then registers nothing. Default: the operator registers a
    /// webhook with a secret of its own. Example: `{name: fastio-webhook, key: secret}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyReference>,

    /// Key in the Secret of `secretRef` with the signing secret before it: while one is rotated out, a delivery signed with
    /// either is taken. The key may be missing or empty, so it can stay here from one rotation to the next. Default: none,
    /// one secret counts. Example: `previous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub previous_secret_key: Option<String>,

    /// How the secrets in `secretRef` are written: `Raw`, `Hex`, `Base64` or `Whsec` (base64 after `whsec_`). Default: `Raw`.
    #[serde(default)]
    pub secret_encoding: SecretEncoding,
}

/// What is signed and how the signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum SignatureScheme {
    /// `sha256=<hex>` over the body.
    #[default]
    BodyHex,
    /// `t=<unix time>,v1=<base64>` over time, dot and body.
    StampedBase64,
    /// `sha256=<hex>` over time, dot and body, with the time in a header of its own.
    StampedHex,
}

/// How a signing secret is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum SecretEncoding {
    /// The bytes as they are.
    #[default]
    Raw,
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
    /// Base64 after `whsec_`.
    Whsec,
}
