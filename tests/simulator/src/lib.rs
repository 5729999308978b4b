//! A simulated Fast.io service for tests and the demo.
//!
//! It follows the documented behaviour of the service call by call, in the service's own shapes, and
//! is as strict as the service. It shares no code with this project's client: a mistake in
//! one must not be hidden by the other. State is on disk and survives `kill -9`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use fastio_simulator::{Settings, Simulator};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let simulator = Simulator::start(Settings::new("/tmp/simulated"), listener)?;
//! println!("{}", simulator.api_base());
//! # Ok(()) }
//! ```

mod api;
mod app;
mod calls;
mod connection;
mod control;
mod envelope;
mod faults;
mod ids;
mod limits;
mod page;
mod params;
mod routes;
mod sender;
mod server;
mod settings;
mod store;
mod time;
mod tokens;

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, task::JoinHandle};

use crate::{app::App, sender::Sender};
pub use crate::{
    faults::ExpiresForm,
    sender::SenderError,
    settings::{FinalStatus, NamedWorkspace, NotAWorkspaceId, Settings, WebhookDialect},
    store::OpenError,
};

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The state could not be read or seeded.
    #[error("state database: {0}")]
    Seed(#[from] rusqlite::Error),
    /// The webhook sender could not be made.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The listening address could not be found out.
    #[error("listening address: {0}")]
    Address(#[from] std::io::Error),
}

/// A running simulator. Dropped, it takes no more connections and starts no more deliveries; what is
/// under way in the runtime ends by itself.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    sender: JoinHandle<()>,
}

impl Simulator {
    /// Opens the state, seeds it, and serves in background tasks of the current runtime.
    pub fn start(settings: Settings, listener: TcpListener) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        let app = App::open(settings)?;
        control::seed(&app)?;
        let sender = Arc::new(Sender::new(app.clone())?);
        api::upload::resume(&app)?;
        let router = server::router(app);
        Ok(Self {
            address,
            server: tokio::spawn(server::serve(listener, router)),
            sender: tokio::spawn(sender.run()),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL of the API, such as `http://127.0.0.1:8080/current`.
    #[must_use]
    pub fn api_base(&self) -> String {
        format!("http://{}/current", self.address)
    }

    /// Ends when the server does, which only a failure makes it do.
    pub async fn join(mut self) -> std::io::Result<()> {
        match (&mut self.server).await {
            Ok(result) => result,
            Err(error) => Err(std::io::Error::other(error)),
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
        self.sender.abort();
    }
}
