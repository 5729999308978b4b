//! The receiver, its Service, and how it is told to check signatures.

use fastio::signature::SecretEncoding;
use fastio_crds::SignatureScheme;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::delivery::{Ingress, Origin};
use super::super::remote::path;
use super::super::validate::{Valid, secret_encoding};
use super::{ADMIN_PORT, SIGNING_KEY};
use crate::children::fastio_files::signing_secret_name;
use crate::children::labels::Part;
use crate::children::mounts::SecretMount;
use crate::children::owner::Owner;
use crate::children::pods::{Needs, Program, Replace, Workload};
use crate::context::Context;

/// Port of the receiver's Service and container.
const PORT: i32 = 8080;

const SIGNING_DIR: &str = "/var/run/secrets/fastio/signing";

pub(super) fn service(owner: &Owner) -> Service {
    let part = Part::Receiver;
    Service {
        metadata: owner.child(part.name(owner.name()), part.labels(owner.name())),
        spec: Some(ServiceSpec {
            selector: Some(part.pod_labels(owner.name())),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: PORT,
                target_port: Some(IntOrString::String("http".to_owned())),
                protocol: Some("TCP".to_owned()),
                app_protocol: Some("http".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

pub(super) fn deployment(
    valid: &Valid,
    ingress: &Ingress,
    context: &Context,
    at_start: String,
) -> Deployment {
    let own = [
        format!("--installation={}", context.settings.installation),
        format!("--webhook={}", valid.key),
        format!("--path={}", path(valid.owner.uid())),
        format!("--events={}", valid.event_words()),
        format!("--signing-secret-dir={SIGNING_DIR}"),
        format!("--listen=[::]:{PORT}"),
        format!("--admin-listen=[::]:{ADMIN_PORT}"),
    ];
    let program = Program {
        name: Part::Receiver.as_str(),
        image: context.settings.image(Part::Receiver),
        args: own
            .into_iter()
            .chain(signature_flags(ingress))
            .chain(valid.temporal.connection.flags())
            .collect(),
        env: Vec::new(),
        port: Some(PORT),
        admin_port: ADMIN_PORT,
        resources: Needs::new("20m", "24Mi", "128Mi"),
        secrets: [signing_mount(valid, ingress)]
            .into_iter()
            .chain(valid.temporal.connection.mounts())
            .collect(),
        mounts: Vec::new(),
    };
    Workload {
        part: Part::Receiver,
        owner: &valid.owner,
        replicas: ingress.receivers,
        replace: Replace::OneMoreFirst,
        // More than the receiver takes: it goes on with new connections for a while by itself (`--lame-duck`), and then ends
        // within `--drain-timeout`.
        grace_seconds: 40,
        api_token: false,
        at_start,
        volumes: Vec::new(),
        containers: vec![program],
    }
    .deployment()
}

/// The secret, and one that is rotated out, under the names by which the receiver knows them, wherever they come from.
fn signing_mount(valid: &Valid, ingress: &Ingress) -> SecretMount {
    let own = signing_secret_name(valid.owner.name());
    let (secret, key) = match &ingress.origin {
        Origin::Registered => (own.as_str(), SIGNING_KEY),
        Origin::ByHand { secret, .. } => (secret.name.as_str(), secret.key.as_str()),
    };
    let mount = SecretMount::new("signing", SIGNING_DIR, secret, &[(key, "current")]);
    match &ingress.signature.previous_secret_key {
        Some(previous) => mount.with_optional(previous, "previous"),
        None => mount,
    }
}

/// The scheme, and what differs from its defaults.
fn signature_flags(ingress: &Ingress) -> Vec<String> {
    let signature = &ingress.signature;
    let scheme = match signature.scheme {
        SignatureScheme::BodyHex => "body-hex",
        SignatureScheme::StampedBase64 => "stamped-base64",
        SignatureScheme::StampedHex => "stamped-hex",
    };
    // A derived secret is always raw.
    let encoding = match &ingress.origin {
        Origin::Registered => SecretEncoding::Raw,
        Origin::ByHand { .. } => secret_encoding(signature.secret_encoding),
    };
    let encoding = Some(encoding).filter(|&encoding| encoding != SecretEncoding::Raw);
    let flag = |name: &str, value: Option<&str>| value.map(|value| format!("--{name}={value}"));
    [
        flag("signature-scheme", Some(scheme)),
        flag("signature-header", signature.header.as_deref()),
        flag("timestamp-header", signature.timestamp_header.as_deref()),
        flag("secret-encoding", encoding.map(SecretEncoding::as_str)),
        signature.tolerance_seconds.map(|seconds| format!("--signature-tolerance={seconds}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}
