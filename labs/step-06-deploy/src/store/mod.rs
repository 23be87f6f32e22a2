//! The store: everything that is said to Postgres.

mod error;
mod events;
mod orders;

use sqlx::PgPool;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgPoolOptions;

pub use error::StoreError;

use crate::configuration::Configuration;

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Opens a pool.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn connect(configuration: &Configuration) -> Result<Self, sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(configuration.database_max_connections)
            .acquire_timeout(configuration.limits.request_timeout)
            .connect_with(configuration.database.clone())
            .await?;
        Ok(Self { pool })
    }

    /// Brings the schema up to date. What has run is written down and never runs again; a lock lets only one of several
    /// starting servers at it.
    ///
    /// # Errors
    /// A migration failed, or the database did.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        // TODO(step-06.4): `orders.customer` is to be called `buyer`, while others still use the old name. Write a new
        // file in `migrations/`. And what does this program do on the day when it is the old version?
        sqlx::migrate!().run(&self.pool).await
    }
}
