//! Puts the parts together: a store that is connected and migrated, a router, a listener.

use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::configuration::Configuration;
use crate::http::{self, Services};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::tally::Tally;

/// A server that is ready to run.
#[derive(Debug)]
pub struct Application {
    listener: TcpListener,
    router: Router,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database does not answer.
    #[error("connecting to the database: {0}")]
    Connect(#[from] sqlx::Error),
    /// The schema cannot be brought up to date.
    #[error("running the migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The address is in use or not ours.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

impl Application {
    /// Connects, migrates and listens.
    ///
    /// # Errors
    /// What failed of the three.
    pub async fn build(configuration: Configuration) -> Result<Self, BuildError> {
        // TODO(step-06.2): when the database is not there yet, the server exits. Listen first, so that the probes can
        // be answered, and meanwhile keep trying to prepare the database.
        let store = Store::connect(&configuration).await?;
        store.migrate().await?;
        let services = Services {
            store,
            metrics: Arc::new(Metrics::default()),
            tally: Arc::new(Tally::default()),
            api_token: configuration.api_token.clone(),
        };
        let router = http::router(services, configuration.limits);
        let listener = TcpListener::bind((configuration.host.as_str(), configuration.port)).await?;
        Ok(Self { listener, router })
    }

    /// Serves until `stop` is done.
    ///
    /// # Errors
    /// What the listener says.
    pub async fn run(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        // TODO(step-06.3): this drops whatever is in flight, and leaves the database without closing its sessions. In
        // order: no longer ready; DRAIN_DELAY_MS; no new connections (`with_graceful_shutdown`); wait for the requests,
        // at most SHUTDOWN_TIMEOUT_MS; close the pool.
        // TODO(step-06.5): which of these steps does a load balancer need, so that no request fails?
        tokio::select! {
            ended = async { axum::serve(self.listener, self.router).await } => ended,
            () = stop => Ok(()),
        }
    }
}
