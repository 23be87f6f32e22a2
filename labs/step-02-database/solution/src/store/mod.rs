//! The store: everything that is said to Postgres, a module for each thing that is kept.

mod cursor;
mod customers;
mod error;
mod events;
mod listing;
mod orders;
mod retry;
mod transfers;

use std::str::FromStr;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor as _, PgPool};

pub use error::StoreError;

use crate::configuration::Configuration;

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    timeout: Duration,
}

impl Store {
    /// Opens a pool that never holds more connections than the configuration allows.
    ///
    /// # Errors
    /// The URL makes no sense, or the database does not answer in time.
    pub async fn connect(configuration: &Configuration) -> Result<Self, sqlx::Error> {
        let timeout = configuration.database_timeout;
        // The second line of defence: when we have stopped waiting, Postgres shall stop working for us too.
        let options = PgConnectOptions::from_str(configuration.database_url.expose_secret())?
            .options([("statement_timeout", timeout.as_millis().to_string())]);
        let pool = PgPoolOptions::new()
            .max_connections(configuration.database_max_connections)
            .acquire_timeout(timeout)
            .connect_with(options)
            .await?;
        Ok(Self { pool, timeout })
    }

    /// Brings the schema up to date. What has run is written down in `_sqlx_migrations` and never runs again;
    /// a lock lets only one of several starting servers at it.
    ///
    /// The time-out is for requests: a migration takes as long as it takes.
    ///
    /// # Errors
    /// A migration failed, or one that has run was edited since.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        let mut connection = self.pool.acquire().await?;
        connection.execute("SET statement_timeout = 0").await?;
        sqlx::migrate!().run(&mut *connection).await?;
        connection.execute("RESET statement_timeout").await?;
        Ok(())
    }

    /// Does `work` within the time-out, and again when Postgres gave way to a neighbour.
    ///
    /// `work` is one transaction: what an attempt began is rolled back when it fails or is dropped.
    async fn run<T, Work, Attempt>(&self, work: Work) -> Result<T, StoreError>
    where
        Work: Fn() -> Attempt,
        Attempt: Future<Output = Result<T, StoreError>>,
    {
        tokio::time::timeout(self.timeout, retry::retrying(work)).await.unwrap_or(Err(StoreError::TimedOut))
    }
}
