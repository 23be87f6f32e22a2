//! Puts the parts together: a store that is connected and migrated, a router, a listener.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

use crate::configuration::Configuration;
use crate::http;
use crate::store::Store;

/// A server that is ready to run.
#[derive(Debug)]
pub struct Application {
    listener: TcpListener,
    router: Router,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database does not answer, or its URL is invalid.
    #[error("connecting to the database: {0}")]
    Connect(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("running the migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The address is in use or not ours.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

impl Application {
    /// Connects, migrates and listens. Only then is the server ready: it never answers on half a schema.
    ///
    /// # Errors
    /// What failed of the three.
    pub async fn build(configuration: &Configuration) -> Result<Self, StartError> {
        let store = Store::connect(configuration).await.map_err(StartError::Connect)?;
        store.migrate().await?;
        let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
        Ok(Self { listener, router: http::router(store, configuration.cors_allowed_origin.clone()) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not know.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process is stopped.
    ///
    /// # Errors
    /// What the listener says.
    pub async fn run(self) -> std::io::Result<()> {
        axum::serve(self.listener, self.router).await
    }
}
