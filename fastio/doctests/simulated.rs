// The service that the examples of this crate's documentation run against. Each of them includes this file.

/// The key that the simulated service knows.
const KEY: &str = "key-of-the-examples";

/// A simulated service with a workspace, and a client of it.
struct Simulated {
    base: String,
    workspace: fastio::WorkspaceId,
    _running: (fastio_simulator::Simulator, tempfile::TempDir),
}

impl Simulated {
    async fn start() -> Result<Self, Box<dyn std::error::Error>> {
        // Fails when another example of this process was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let state = tempfile::tempdir()?;
        let mut settings = fastio_simulator::Settings::new(state.path());
        settings.api_keys = vec![KEY.to_owned()];
        settings.workspaces = vec!["studio=1234567890123456789".parse()?];
        settings.webhooks = Some(fastio_simulator::WebhookDialect::Guide);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let simulator = fastio_simulator::Simulator::start(settings, listener)?;
        Ok(Self {
            base: simulator.api_base(),
            workspace: "1234567890123456789".parse()?,
            _running: (simulator, state),
        })
    }

    #[allow(dead_code, reason = "one example shows how a client is made")]
    fn client(&self) -> Result<fastio::Client, Box<dyn std::error::Error>> {
        let key = fastio::ApiKeySource::Static(fastio::ApiKey::new(KEY)?);
        Ok(fastio::Client::new(self.base.parse()?, key)?)
    }
}
