//! The store: everything that is said to Postgres.

mod customers;
mod error;
mod events;

use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgPoolOptions;

pub use error::StoreError;
pub use events::Written;

use crate::configuration::Configuration;

/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

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
            .acquire_timeout(ACQUIRE)
            .connect(configuration.database_url.expose_secret())
            .await?;
        Ok(Self { pool })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// A migration failed, or one that has run was edited since.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        sqlx::migrate!().run(&self.pool).await
    }
}
