// The service that the examples of this crate's documentation run against. Each of them includes this file.

/// The key that the simulated service knows.
const KEY: &str = "key-of-the-examples";

/// A simulated service with a workspace, and a client of it.
struct Simulated {
    base: String,
    workspace: fastio::WorkspaceId,
    _running: (fastio_simulator::Simulator, tempfile::TempDir),
}

#[allow(dead_code, reason = "each example needs a part of it")]
impl Simulated {
    async fn start() -> Result<Self, Box<dyn std::error::Error>> {
        Self::offering(fastio_simulator::WebhookDialect::Guide).await
    }

    async fn offering(
        webhooks: fastio_simulator::WebhookDialect,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        // Fails when another example of this process was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let state = tempfile::tempdir()?;
        let mut settings = fastio_simulator::Settings::new(state.path());
        settings.api_keys = vec![KEY.to_owned()];
        settings.workspaces = vec!["studio=1234567890123456789".parse()?];
        settings.webhooks = Some(webhooks);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let simulator = fastio_simulator::Simulator::start(settings, listener)?;
        Ok(Self {
            base: simulator.api_base(),
            workspace: "1234567890123456789".parse()?,
            _running: (simulator, state),
        })
    }

    fn client(&self) -> Result<fastio::Client, Box<dyn std::error::Error>> {
        let key = fastio::ApiKeySource::Static(fastio::ApiKey::new(KEY)?);
        Ok(fastio::Client::new(self.base.parse()?, key)?)
    }

    /// A file at the top of the workspace.
    async fn file(&self, name: &str, content: &'static str) -> Result<fastio::NodeId, Box<dyn std::error::Error>> {
        let client = self.client()?;
        let root = fastio::NodeId::root();
        let started = client.upload_small(&self.workspace, &root, name, content.into()).await?;
        loop {
            let wait = std::time::Duration::from_secs(10);
            if let fastio::UploadStatus::Stored(node) = client.upload_status(&started.id, wait).await? {
                return Ok(node);
            }
        }
    }
}
