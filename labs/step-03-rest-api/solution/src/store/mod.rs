//! The store: everything that is said to Postgres, a module for each thing that is kept.

mod error;
mod event_cursor;
mod events;
mod idempotency;
mod orders;

use std::str::FromStr;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub use error::StoreError;
pub use event_cursor::EventCursor;
pub use orders::ORDER_CURSOR;

use crate::configuration::Configuration;

/// The longest that a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Opens a pool that never holds more connections than the configuration allows.
    ///
    /// # Errors
    /// The URL makes no sense, or the database does not answer in time.
    pub async fn connect(configuration: &Configuration) -> Result<Self, sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(configuration.database_max_connections)
            .acquire_timeout(PATIENCE)
            .connect_with(PgConnectOptions::from_str(configuration.database_url.expose_secret())?)
            .await?;
        Ok(Self { pool })
    }

    /// Brings the schema up to date. What has run is written down and never runs again.
    ///
    /// # Errors
    /// A migration failed, or one that has run was edited since.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        sqlx::migrate!().run(&self.pool).await
    }
}
