//! Where Temporal is and how to get in, as flags or environment variables.

use std::path::{Path, PathBuf};
use std::time::Duration;

use temporalio_client::Client;

use crate::target::{ConfigError, ConnectError, Target, Tls};

/// One attempt to connect takes no longer than this.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Waits between attempts: doubling from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LAST_WAIT: Duration = Duration::from_secs(5);

/// How to reach Temporal. Certificates and keys are files, so that they can come from mounted Secrets.
//
// The ids are the flags' names: the names of the fields alone would meet those of the programs' own arguments.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct ConnectionArgs {
    /// Host and port of Temporal's frontend, for example `temporal-frontend.temporal:7233`.
    #[arg(
        id = "temporal_address",
        long = "temporal-address",
        env = "TEMPORAL_ADDRESS",
        value_name = "HOST:PORT"
    )]
    address: String,

    /// Temporal namespace.
    #[arg(
        id = "temporal_namespace",
        long = "temporal-namespace",
        env = "TEMPORAL_NAMESPACE",
        default_value = "default"
    )]
    namespace: String,

    /// Use TLS. Implied by each of the options below.
    #[arg(id = "temporal_tls", long = "temporal-tls", env = "TEMPORAL_TLS")]
    tls: bool,

    /// PEM file with the CA that signed the server's certificate. Default: the system's CAs.
    #[arg(id = "temporal_tls_ca_file", long = "temporal-tls-ca-file", env = "TEMPORAL_TLS_CA_FILE")]
    ca_file: Option<PathBuf>,

    /// PEM file with the client certificate.
    #[arg(
        id = "temporal_tls_cert_file",
        long = "temporal-tls-cert-file",
        env = "TEMPORAL_TLS_CERT_FILE",
        requires = "temporal_tls_key_file"
    )]
    cert_file: Option<PathBuf>,

    /// PEM file with the client certificate's key.
    #[arg(
        id = "temporal_tls_key_file",
        long = "temporal-tls-key-file",
        env = "TEMPORAL_TLS_KEY_FILE",
        requires = "temporal_tls_cert_file"
    )]
    key_file: Option<PathBuf>,

    /// Name to expect in the server's certificate. Default: the host of the address.
    #[arg(
        id = "temporal_tls_server_name",
        long = "temporal-tls-server-name",
        env = "TEMPORAL_TLS_SERVER_NAME"
    )]
    server_name: Option<String>,

    /// File with an API key, as Temporal Cloud uses them.
    #[arg(id = "temporal_api_key_file", long = "temporal-api-key-file", env = "TEMPORAL_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
}

impl ConnectionArgs {
    /// Plain text to one address, for tests and for programs that need no flags.
    #[must_use]
    pub fn plain(address: &str, namespace: &str) -> Self {
        Self {
            address: address.to_owned(),
            namespace: namespace.to_owned(),
            tls: false,
            ca_file: None,
            cert_file: None,
            key_file: None,
            server_name: None,
            api_key_file: None,
        }
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Temporal namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn uses_tls(&self) -> bool {
        self.tls
            || self.ca_file.is_some()
            || self.cert_file.is_some()
            || self.server_name.is_some()
            || self.api_key_file.is_some()
    }

    /// Reads the files.
    async fn target(&self) -> Result<Target, ConnectError> {
        let tls = if self.uses_tls() {
            let client = match (&self.cert_file, &self.key_file) {
                (Some(cert), Some(key)) => Some((read(cert).await?, read(key).await?)),
                _ => None,
            };
            let ca = read_if_any(self.ca_file.as_deref()).await?;
            Some(Tls { ca, client, server_name: self.server_name.clone() })
        } else {
            None
        };
        Ok(Target {
            address: self.address.clone(),
            namespace: self.namespace.clone(),
            tls,
            api_key: read_if_any(self.api_key_file.as_deref()).await?,
        })
    }
}

async fn read_if_any(path: Option<&Path>) -> Result<Option<Vec<u8>>, ConnectError> {
    Ok(match path {
        Some(path) => Some(read(path).await?),
        None => None,
    })
}

async fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    tokio::fs::read(path).await.map_err(|source| ConnectError::File { path: path.to_owned(), source })
}

/// One attempt to connect, bounded by five seconds.
pub async fn connect(args: &ConnectionArgs, identity: &str) -> Result<Client, ConnectError> {
    args.target().await?.connect(identity, ATTEMPT).await
}

/// Connects, however long Temporal is away. A pod that starts during an outage waits; it does not crash.
pub async fn connect_with_retry(args: &ConnectionArgs, identity: &str) -> Result<Client, ConfigError> {
    let mut wait = FIRST_WAIT;
    loop {
        match connect(args, identity).await {
            Ok(client) => {
                tracing::info!(address = args.address, namespace = args.namespace, "connected to Temporal");
                return Ok(client);
            }
            Err(ConnectError::Config(error)) => return Err(error),
            Err(error) => tracing::warn!(%error, retry_in = ?wait, "not connected to Temporal"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_certificate_is_named() {
        let mut args = ConnectionArgs::plain("127.0.0.1:9", "default");
        args.ca_file = Some("/nonexistent/ca.crt".into());
        let error = connect(&args, "test").await.unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nonexistent/ca.crt"), "{error}");
    }
}
