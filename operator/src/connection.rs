//! The Temporal connection of an object: its own, or the one that the operator was installed with.
//!
//! Secrets are always those of the object's namespace, also for the operator's connection: no credential crosses a
//! namespace. Pods get them as files, and flags that name the files.

use std::time::Duration;

use fastio_crds::TemporalConnection;
use fastio_crds::conditions::Reason;
use fastio_temporal::{Target, Tls};
use kube::Client;
use secrecy::{ExposeSecret, SecretSlice};

use crate::children::mounts::SecretMount;
use crate::problem::{Explain, Problem};
use crate::secrets::{Named, SecretError};

/// Key of the CA's certificate.
pub const CA_KEY: &str = "ca.crt";
/// Key of the client certificate in a Secret of type `kubernetes.io/tls`.
pub const CERT_KEY: &str = "tls.crt";
/// Key of the client certificate's private key.
pub const PRIVATE_KEY: &str = "tls.key";

/// Nothing but a change of the spec or another start of the operator helps.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

const CA_DIR: &str = "/var/run/secrets/temporal/ca";
const CLIENT_DIR: &str = "/var/run/secrets/temporal/client";
const API_KEY_DIR: &str = "/var/run/secrets/temporal/api-key";

/// How to reach Temporal; Secrets by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Host and port.
    pub address: String,
    /// Temporal namespace.
    pub namespace: String,
    /// TLS.
    pub tls: bool,
    /// Name to expect in the server's certificate.
    pub server_name: Option<String>,
    /// Secret with the CA.
    pub ca: Option<SecretName>,
    /// Secret with the client certificate.
    pub client_cert: Option<SecretName>,
    /// Secret with the API key, and the key within it.
    pub api_key: Option<(SecretName, String)>,
}

/// Name of a Secret, and where the name comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretName {
    /// The name.
    pub name: String,
    /// The field or setting.
    pub named_by: &'static str,
}

impl SecretName {
    fn in_namespace(&self, namespace: &str) -> Named {
        Named { namespace: namespace.to_owned(), name: self.name.clone(), named_by: self.named_by }
    }
}

impl From<&TemporalConnection> for Connection {
    fn from(spec: &TemporalConnection) -> Self {
        let tls = spec.tls.clone();
        let secret = |name: String, named_by| SecretName { name, named_by };
        let (ca, client_cert, server_name) = tls.clone().map_or((None, None, None), |tls| {
            (tls.ca_secret_ref, tls.client_cert_secret_ref, tls.server_name)
        });
        Self {
            address: spec.address.clone(),
            namespace: spec.namespace.clone(),
            tls: tls.is_some() || spec.api_key_secret_ref.is_some(),
            server_name,
            ca: ca.map(|ca| secret(ca.name, "spec.temporal.tls.caSecretRef")),
            client_cert: client_cert.map(|cert| secret(cert.name, "spec.temporal.tls.clientCertSecretRef")),
            api_key: spec
                .api_key_secret_ref
                .clone()
                .map(|key| (secret(key.name, "spec.temporal.apiKeySecretRef"), key.key)),
        }
    }
}

impl Connection {
    /// The flags of a pod.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec![
            format!("--temporal-address={}", self.address),
            format!("--temporal-namespace={}", self.namespace),
        ];
        if self.tls {
            flags.push("--temporal-tls".to_owned());
        }
        if let Some(name) = &self.server_name {
            flags.push(format!("--temporal-tls-server-name={name}"));
        }
        if self.ca.is_some() {
            flags.push(format!("--temporal-tls-ca-file={CA_DIR}/{CA_KEY}"));
        }
        if self.client_cert.is_some() {
            flags.push(format!("--temporal-tls-cert-file={CLIENT_DIR}/{CERT_KEY}"));
            flags.push(format!("--temporal-tls-key-file={CLIENT_DIR}/{PRIVATE_KEY}"));
        }
        if self.api_key.is_some() {
            flags.push(format!("--temporal-api-key-file={API_KEY_DIR}/apiKey"));
        }
        flags
    }

    /// The Secrets that a pod mounts.
    #[must_use]
    pub fn mounts(&self) -> Vec<SecretMount> {
        let ca =
            self.ca.iter().map(|ca| SecretMount::new("temporal-ca", CA_DIR, &ca.name, &[(CA_KEY, CA_KEY)]));
        let client = self.client_cert.iter().map(|cert| {
            let files = [(CERT_KEY, CERT_KEY), (PRIVATE_KEY, PRIVATE_KEY)];
            SecretMount::new("temporal-client", CLIENT_DIR, &cert.name, &files)
        });
        let api_key = self.api_key.iter().map(|(secret, key)| {
            SecretMount::new("temporal-api-key", API_KEY_DIR, &secret.name, &[(key.as_str(), "apiKey")])
        });
        ca.chain(client).chain(api_key).collect()
    }
}

/// A connection with the contents of its Secrets.
#[derive(Debug, Clone)]
pub struct Access {
    /// The connection.
    pub connection: Connection,
    /// PEM of the CA.
    pub ca: Option<SecretSlice<u8>>,
    /// PEM of the client certificate and its private key.
    pub client_cert: Option<(SecretSlice<u8>, SecretSlice<u8>)>,
    /// API key.
    pub api_key: Option<SecretSlice<u8>>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Neither the object nor the operator names one.
    #[error(
        "spec.temporal is not set and the operator has no default; set spec.temporal.address, or the chart value \
         temporal.address"
    )]
    NotConfigured,
    /// A Secret of it cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Explain for AccessError {
    fn problem(&self) -> Problem {
        match self {
            Self::NotConfigured => {
                Problem::needs_action(Reason::TemporalNotConfigured, self.to_string(), LOOK_AGAIN)
            }
            Self::Secret(error) => error.problem(),
        }
    }
}

impl Access {
    /// The object's own connection, or else the operator's, with the Secrets of the object's namespace.
    pub async fn of(
        client: &Client,
        namespace: &str,
        own: Option<&TemporalConnection>,
        default: Option<&Connection>,
    ) -> Result<Self, AccessError> {
        let connection = own.map(Connection::from).or_else(|| default.cloned());
        let connection = connection.ok_or(AccessError::NotConfigured)?;
        Ok(Self::read(client, namespace, connection).await?)
    }

    async fn read(client: &Client, namespace: &str, connection: Connection) -> Result<Self, SecretError> {
        let ca = match &connection.ca {
            Some(ca) => Some(ca.in_namespace(namespace).value(client, CA_KEY).await?),
            None => None,
        };
        let client_cert = match &connection.client_cert {
            Some(cert) => {
                let mut pair =
                    cert.in_namespace(namespace).values(client, &[CERT_KEY, PRIVATE_KEY], &[]).await?;
                pair.remove(CERT_KEY).zip(pair.remove(PRIVATE_KEY))
            }
            None => None,
        };
        let api_key = match &connection.api_key {
            Some((secret, key)) => Some(secret.in_namespace(namespace).value(client, key).await?),
            None => None,
        };
        Ok(Self { connection, ca, client_cert, api_key })
    }

    /// What a client of the operator's own connects to.
    #[must_use]
    pub fn target(&self) -> Target {
        let bytes = |secret: &SecretSlice<u8>| secret.expose_secret().to_vec();
        let connection = &self.connection;
        Target {
            address: connection.address.clone(),
            namespace: connection.namespace.clone(),
            tls: connection.tls.then(|| Tls {
                ca: self.ca.as_ref().map(bytes),
                client: self.client_cert.as_ref().map(|(cert, key)| (bytes(cert), bytes(key))),
                server_name: connection.server_name.clone(),
            }),
            api_key: self.api_key.as_ref().map(bytes),
        }
    }

    /// Everything that a process reads only when it starts, to roll pods when it changes.
    #[must_use]
    pub fn content(&self) -> SecretSlice<u8> {
        let (cert, key) =
            self.client_cert.as_ref().map_or((None, None), |(cert, key)| (Some(cert), Some(key)));
        let mut content = Vec::new();
        for part in [self.ca.as_ref(), cert, key, self.api_key.as_ref()] {
            let bytes = part.map(ExposeSecret::expose_secret).unwrap_or_default();
            // The length in front, so that bytes that move from one part to the next are a difference.
            content.extend_from_slice(&bytes.len().to_be_bytes());
            content.extend_from_slice(bytes);
        }
        SecretSlice::from(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(yaml: &str) -> Connection {
        Connection::from(&serde_saphyr::from_str::<TemporalConnection>(yaml).unwrap())
    }

    #[test]
    fn flags_name_the_mounted_files() {
        let full = connection(
            "{address: 'temporal:7233', namespace: media, apiKeySecretRef: {name: cloud, key: token}, \
             tls: {caSecretRef: {name: ca}, clientCertSecretRef: {name: client}, serverName: temporal.internal}}",
        );
        let mounts = full.mounts();
        for flag in full.flags().iter().filter_map(|flag| Some(flag.split_once("-file=")?.1)) {
            assert!(mounts.iter().any(|mount| mount.paths().any(|path| path == flag)), "{flag}");
        }
        assert_eq!(full.flags().len(), 8);
    }

    #[test]
    fn plain_text_is_the_default_and_a_key_brings_tls() {
        let plain = connection("{address: 'temporal:7233', namespace: media}");
        assert_eq!(plain.flags(), ["--temporal-address=temporal:7233", "--temporal-namespace=media"]);
        assert!(plain.mounts().is_empty());
        assert!(connection("{address: 'a:1', apiKeySecretRef: {name: cloud}}").tls);
        assert!(connection("{address: 'a:1', tls: {}}").tls);
    }

    #[test]
    fn moved_bytes_are_a_difference() {
        let access = |ca: &str, key: &str| Access {
            connection: connection("{address: 'a:1'}"),
            ca: Some(SecretSlice::from(ca.as_bytes().to_vec())),
            client_cert: None,
            api_key: Some(SecretSlice::from(key.as_bytes().to_vec())),
        };
        assert_ne!(access("ab", "c").content().expose_secret(), access("a", "bc").content().expose_secret());
    }
}
