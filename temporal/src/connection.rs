//! Where Temporal is and how to get in, as flags or environment variables; and the connection itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use temporalio_client::errors::ClientConnectError;
use temporalio_client::{
    Client, ClientOptions, ClientTlsOptions, Connection, ConnectionOptions, TlsOptions, Url,
};

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

/// Arguments that no amount of waiting makes usable.
#[derive(Debug, thiserror::Error)]
#[error("--temporal-address {address:?} must be HOST:PORT: {problem}")]
pub struct ConfigError {
    address: String,
    problem: String,
}

/// An attempt to connect that failed. All but `Config` may pass by themselves.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The arguments are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A certificate or key cannot be read (yet).
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Temporal refuses or cannot be reached.
    #[error("Temporal at {address}: {source}")]
    Refused {
        /// Host and port.
        address: String,
        /// What the client says.
        source: Box<ClientConnectError>,
    },
    /// No answer within five seconds.
    #[error("Temporal at {0} does not answer")]
    Silent(String),
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

    fn url(&self) -> Result<Url, ConfigError> {
        let wrong = |problem: String| ConfigError { address: self.address.clone(), problem };
        let scheme = if self.uses_tls() { "https" } else { "http" };
        let url =
            Url::parse(&format!("{scheme}://{}", self.address)).map_err(|error| wrong(error.to_string()))?;
        let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        if bare && url.port().is_some() && url.has_host() {
            Ok(url)
        } else {
            Err(wrong("a host and a port, and nothing else".to_owned()))
        }
    }

    async fn options(&self, identity: &str) -> Result<ConnectionOptions, ConnectError> {
        let tls = if self.uses_tls() {
            let client = match (&self.cert_file, &self.key_file) {
                (Some(cert), Some(key)) => {
                    let options = ClientTlsOptions::builder().client_cert(read(cert).await?);
                    Some(options.client_private_key(read(key).await?).build())
                }
                _ => None,
            };
            let ca = match &self.ca_file {
                Some(path) => Some(read(path).await?),
                None => None,
            };
            let options =
                TlsOptions::builder().maybe_server_root_ca_cert(ca).maybe_domain(self.server_name.clone());
            Some(options.maybe_client_tls_options(client).build())
        } else {
            None
        };
        let api_key = match &self.api_key_file {
            Some(path) => Some(String::from_utf8_lossy(&read(path).await?).trim().to_owned()),
            None => None,
        };
        Ok(ConnectionOptions::new(self.url()?)
            .identity(identity.to_owned())
            .connect_timeout(ATTEMPT)
            .maybe_tls_options(tls)
            .maybe_api_key(api_key)
            .build())
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, ConnectError> {
    tokio::fs::read(path).await.map_err(|source| ConnectError::File { path: path.to_owned(), source })
}

/// One attempt to connect, bounded by five seconds. The SDK's client connects itself anew after that.
pub async fn connect(args: &ConnectionArgs, identity: &str) -> Result<Client, ConnectError> {
    let options = args.options(identity).await?;
    let refused = |source| ConnectError::Refused { address: args.address.clone(), source: Box::new(source) };
    let attempt = async {
        let connection = Connection::connect(options).await.map_err(refused)?;
        Client::new(connection, ClientOptions::new(args.namespace.clone()).build())
            .map_err(|error| refused(ClientConnectError::from(error)))
    };
    tokio::time::timeout(ATTEMPT, attempt).await.map_err(|_| ConnectError::Silent(args.address.clone()))?
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

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["127.0.0.1:7233", "temporal-frontend.temporal:7233", "[::1]:7233"] {
            assert!(ConnectionArgs::plain(good, "default").url().is_ok(), "{good}");
        }
        for bad in ["temporal", "http://temporal:7233", "temporal:7233/x", "a@b:7233", ":7233", ""] {
            let error = ConnectionArgs::plain(bad, "default").url().unwrap_err();
            assert!(error.to_string().contains("must be HOST:PORT"), "{bad}: {error}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error_at_once() {
        let error = connect(&ConnectionArgs::plain("127.0.0.1:9", "default"), "test").await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_missing_certificate_is_named() {
        let mut args = ConnectionArgs::plain("127.0.0.1:9", "default");
        args.ca_file = Some("/nonexistent/ca.crt".into());
        let error = connect(&args, "test").await.unwrap_err();
        assert!(error.to_string().starts_with("cannot read /nonexistent/ca.crt"), "{error}");
    }
}
