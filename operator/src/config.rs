//! What the operator is told at its start: flags, or environment variables of the same name.

use std::net::SocketAddr;

use fastio::BaseUrl;
use fastio_pipeline::names::Installation;
use fastio_service::LogArgs;

use crate::children::labels::Part;
use crate::children::pods::Image;
use crate::connection::{Connection, SecretName};

/// Command line of the operator.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "fastio-operator", version, about)]
pub struct Args {
    /// Prefix of workflow ids and task queues; clusters that share a Temporal namespace need different ones.
    #[arg(long, env = "FASTIO_INSTALLATION", default_value = "fastio")]
    pub installation: Installation,

    /// The operator's own namespace.
    #[arg(long, env = "FASTIO_NAMESPACE")]
    pub namespace: String,

    /// Secret in the operator's namespace that keeps the root key; made if it does not exist.
    #[arg(long, env = "FASTIO_ROOT_KEY_SECRET", default_value = "fastio-operator-root-key")]
    pub root_key_secret: String,

    /// Base URL of the Fast.io API. API keys are sent there and nowhere else.
    #[arg(long, env = "FASTIO_BASE_URL", default_value = "https://api.fast.io/current")]
    pub fastio_base_url: BaseUrl,

    /// How often an intake that follows the feed lists the whole workspace, in seconds: what a feed does not tell is found
    /// then.
    #[arg(long, env = "FASTIO_INTAKE_RELIST_SECONDS", default_value_t = 3600,
        value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub intake_relist_seconds: u32,

    /// Images of the pods.
    #[command(flatten)]
    pub images: ImageArgs,

    /// Temporal connection of objects that name none.
    #[command(flatten)]
    pub temporal: TemporalArgs,

    /// Address of probes and metrics.
    #[arg(long, env = "FASTIO_ADMIN_LISTEN", default_value = "[::]:9090")]
    pub admin_listen: SocketAddr,

    /// Logs.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Images of the pods.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct ImageArgs {
    /// Image of receivers.
    #[arg(long, env = "FASTIO_RECEIVER_IMAGE")]
    receiver_image: String,

    /// Image of intakes.
    #[arg(long, env = "FASTIO_INTAKE_IMAGE")]
    intake_image: String,

    /// Image of workers.
    #[arg(long, env = "FASTIO_WORKER_IMAGE")]
    worker_image: String,

    /// When these images are pulled. Default: Kubernetes' own rule.
    #[arg(long, env = "FASTIO_IMAGE_PULL_POLICY", value_parser = ["Always", "IfNotPresent", "Never"])]
    image_pull_policy: Option<String>,
}

/// Temporal connection of objects that name none. Secrets are looked up in the namespace of the object, never in the
/// operator's.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "the names of the fields are those of the flags")]
pub struct TemporalArgs {
    /// Host and port of Temporal's frontend. Default: each object must bring its connection.
    #[arg(long, env = "FASTIO_TEMPORAL_ADDRESS", value_name = "HOST:PORT")]
    temporal_address: Option<String>,

    /// Temporal namespace.
    #[arg(long, env = "FASTIO_TEMPORAL_NAMESPACE", default_value = "default")]
    temporal_namespace: String,

    /// Use TLS. Implied by each of the options below.
    #[arg(long, env = "FASTIO_TEMPORAL_TLS")]
    temporal_tls: bool,

    /// Name to expect in the server's certificate. Default: the host of the address.
    #[arg(long, env = "FASTIO_TEMPORAL_TLS_SERVER_NAME")]
    temporal_tls_server_name: Option<String>,

    /// Secret with the CA under `ca.crt`.
    #[arg(long, env = "FASTIO_TEMPORAL_TLS_CA_SECRET")]
    temporal_tls_ca_secret: Option<String>,

    /// Secret of type `kubernetes.io/tls` with the client certificate.
    #[arg(long, env = "FASTIO_TEMPORAL_TLS_CLIENT_CERT_SECRET")]
    temporal_tls_client_cert_secret: Option<String>,

    /// Secret with an API key.
    #[arg(long, env = "FASTIO_TEMPORAL_API_KEY_SECRET")]
    temporal_api_key_secret: Option<String>,

    /// Key of the API key within its Secret.
    #[arg(long, env = "FASTIO_TEMPORAL_API_KEY_SECRET_KEY", default_value = "apiKey")]
    temporal_api_key_secret_key: String,
}

/// What both controllers need to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Prefix of workflow ids and task queues.
    pub installation: Installation,
    /// Base URL of the Fast.io API.
    pub fastio_base_url: BaseUrl,
    /// Connection of objects that name none.
    pub temporal: Option<Connection>,
    /// How often an intake lists the whole workspace, in seconds.
    pub relist_seconds: u32,
    images: ImageArgs,
}

impl Settings {
    /// The image of a part.
    #[must_use]
    pub fn image(&self, part: Part) -> Image {
        let reference = match part {
            Part::Receiver => &self.images.receiver_image,
            Part::Intake => &self.images.intake_image,
            Part::Worker => &self.images.worker_image,
        };
        Image { reference: reference.clone(), pull_policy: self.images.image_pull_policy.clone() }
    }
}

impl From<&Args> for Settings {
    fn from(args: &Args) -> Self {
        Self {
            installation: args.installation.clone(),
            fastio_base_url: args.fastio_base_url.clone(),
            temporal: args.temporal.connection(),
            relist_seconds: args.intake_relist_seconds,
            images: args.images.clone(),
        }
    }
}

impl TemporalArgs {
    fn connection(&self) -> Option<Connection> {
        let secret = |name: &Option<String>, named_by| name.clone().map(|name| SecretName { name, named_by });
        let ca = secret(&self.temporal_tls_ca_secret, "chart value temporal.tls.caSecretName");
        let client_cert =
            secret(&self.temporal_tls_client_cert_secret, "chart value temporal.tls.clientCertSecretName");
        let api_key = secret(&self.temporal_api_key_secret, "chart value temporal.apiKeySecretRef")
            .map(|name| (name, self.temporal_api_key_secret_key.clone()));
        let server_name = self.temporal_tls_server_name.clone();
        let implied = ca.is_some() || client_cert.is_some() || api_key.is_some() || server_name.is_some();
        Some(Connection {
            address: self.temporal_address.clone()?,
            namespace: self.temporal_namespace.clone(),
            tls: self.temporal_tls || implied,
            server_name,
            ca,
            client_cert,
            api_key,
        })
    }
}

#[cfg(test)]
impl Settings {
    /// Settings of the tests, with the given flags added.
    pub(crate) fn for_tests(flags: &[&str]) -> Self {
        use clap::Parser;
        let needed = [
            "fastio-operator",
            "--namespace=fastio-system",
            "--receiver-image=example/receiver:1",
            "--intake-image=example/intake:1",
            "--worker-image=example/worker:1",
        ];
        Self::from(&Args::parse_from(needed.iter().chain(flags)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_address_there_is_no_connection() {
        assert!(Settings::for_tests(&[]).temporal.is_none());
        assert!(Settings::for_tests(&["--temporal-tls-ca-secret=ca"]).temporal.is_none());
    }

    #[test]
    fn every_tls_option_implies_tls() {
        let address = "--temporal-address=temporal:7233";
        assert!(!Settings::for_tests(&[address]).temporal.unwrap().tls);
        for flag in ["--temporal-tls", "--temporal-tls-ca-secret=ca", "--temporal-api-key-secret=cloud"] {
            assert!(Settings::for_tests(&[address, flag]).temporal.unwrap().tls, "{flag}");
        }
    }
}
