//! The store: everything that is said to Postgres, a module for each thing that is kept.

mod accounts;
mod error;
mod events;
mod orders;
mod reviews;
mod sessions;
mod web_sessions;

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgPool;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgPoolOptions;

pub use accounts::Login;
pub use error::StoreError;
pub use web_sessions::{WebSession, WebSessionId};

const MAX_CONNECTIONS: u32 = 10;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Opens a bounded pool.
    ///
    /// # Errors
    /// The URL makes no sense, or the database does not answer in time.
    pub async fn connect(url: &SecretString) -> Result<Self, sqlx::Error> {
        let options = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        Ok(Self { pool: options.connect(url.expose_secret()).await? })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// A migration failed, or one that has run was edited since.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        sqlx::migrate!().run(&self.pool).await
    }
}
