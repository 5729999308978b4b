//! A Temporal to connect to: everything that is needed to get in, in memory. Whoever has files or Secrets reads them first.

use std::path::PathBuf;
use std::time::Duration;

use temporalio_client::errors::ClientConnectError;
use temporalio_client::{
    Client, ClientOptions, ClientTlsOptions, Connection, ConnectionOptions, GrpcCompression, TlsOptions, Url,
};

/// Where Temporal is and how to get in. Holds credentials: there is no `Debug`.
#[derive(Clone)]
pub struct Target {
    /// Host and port of the frontend.
    pub address: String,
    /// Temporal namespace.
    pub namespace: String,
    /// TLS; plain text if `None`.
    pub tls: Option<Tls>,
    /// API key, as Temporal Cloud uses them; spaces and newlines around it are left out.
    pub api_key: Option<Vec<u8>>,
}

/// How TLS is done.
#[derive(Clone, Default)]
pub struct Tls {
    /// PEM of the CA that signed the server's certificate. Default: the system's CAs.
    pub ca: Option<Vec<u8>>,
    /// PEM of the client certificate and of its private key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
    /// Name to expect in the server's certificate. Default: the host of the address.
    pub server_name: Option<String>,
}

/// An address that no amount of waiting makes usable.
#[derive(Debug, thiserror::Error)]
#[error("the Temporal address {address:?} must be HOST:PORT: {problem}")]
pub struct ConfigError {
    address: String,
    problem: String,
}

/// An attempt to connect that failed. All but `Config` may pass by themselves.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is none.
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
    /// No answer in time.
    #[error("Temporal at {address} does not answer within {patience:?}")]
    Silent {
        /// Host and port.
        address: String,
        /// How long it was waited for.
        patience: Duration,
    },
}

impl Target {
    /// One attempt, bounded by `patience`. The SDK's client connects itself anew after that.
    pub async fn connect(self, identity: &str, patience: Duration) -> Result<Client, ConnectError> {
        let (address, namespace) = (self.address.clone(), self.namespace.clone());
        let options = self.options(identity, patience)?;
        let refused = |source| ConnectError::Refused { address: address.clone(), source: Box::new(source) };
        let attempt = async {
            let connection = Connection::connect(options).await.map_err(refused)?;
            Client::new(connection, ClientOptions::new(namespace).build())
                .map_err(|error| refused(ClientConnectError::from(error)))
        };
        let silent = |_| ConnectError::Silent { address: address.clone(), patience };
        tokio::time::timeout(patience, attempt).await.map_err(silent)?
    }

    fn url(&self) -> Result<Url, ConfigError> {
        let wrong = |problem: String| ConfigError { address: self.address.clone(), problem };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url =
            Url::parse(&format!("{scheme}://{}", self.address)).map_err(|error| wrong(error.to_string()))?;
        let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        // Not the URL's own port, which is none where it is the scheme's default.
        let port = self.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if bare && port.is_some() && url.has_host() {
            Ok(url)
        } else {
            Err(wrong("a host and a port, and nothing else".to_owned()))
        }
    }

    fn options(self, identity: &str, patience: Duration) -> Result<ConnectionOptions, ConfigError> {
        let url = self.url()?;
        let tls = self.tls.map(|tls| {
            let client = tls.client.map(|(cert, key)| {
                ClientTlsOptions::builder().client_cert(cert).client_private_key(key).build()
            });
            TlsOptions::builder()
                .maybe_server_root_ca_cert(tls.ca)
                .maybe_domain(tls.server_name)
                .maybe_client_tls_options(client)
                .build()
        });
        let api_key = self.api_key.map(|key| String::from_utf8_lossy(&key).trim().to_owned());
        Ok(ConnectionOptions::new(url)
            .identity(identity.to_owned())
            .connect_timeout(patience)
            .maybe_tls_options(tls)
            .maybe_api_key(api_key)
            // A start has a few hundred bytes. To compress it took four times as long as everything else that a start costs
            // (98 against 22 microseconds of CPU, docs/benchmarks.md).
            .grpc_compression(GrpcCompression::None)
            .build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(address: &str) -> Target {
        Target { address: address.to_owned(), namespace: "default".to_owned(), tls: None, api_key: None }
    }

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["127.0.0.1:7233", "temporal-frontend.temporal:7233", "[::1]:7233", "cloud.example:443"] {
            assert_eq!(plain(good).url().unwrap().scheme(), "http", "{good}");
            let tls = Some(Tls::default());
            assert_eq!(Target { tls, ..plain(good) }.url().unwrap().scheme(), "https", "{good}");
        }
        for bad in ["temporal", "http://temporal:7233", "temporal:7233/x", "a@b:7233", ":7233", "[::1]", ""] {
            let error = plain(bad).url().unwrap_err();
            assert!(error.to_string().contains("must be HOST:PORT"), "{bad}: {error}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error_at_once() {
        let answer = plain("127.0.0.1:9").connect("test", Duration::from_secs(5)).await;
        assert!(matches!(answer, Err(ConnectError::Refused { .. })), "{:?}", answer.err());
    }
}
