//! The store: everything that is said to Postgres.

mod error;
mod events;
mod orders;

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, PgPool};
use tokio::time::{sleep, timeout};

pub use error::StoreError;

use crate::configuration::Configuration;

/// How long a database that is there may take to say so, before it is asked again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long to wait before a database that was not there is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

/// Why the database cannot be used, however long one waits.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PrepareError(#[from] MigrateError);

impl Store {
    /// A pool that connects when it is first used.
    pub fn new(configuration: &Configuration) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(configuration.database_max_connections.get())
            .acquire_timeout(configuration.limits.request_timeout.duration())
            .connect_lazy_with(configuration.database.options());
        Self { pool }
    }

    /// Waits for the database and brings the schema up to date. What has run is written down and never runs again; a
    /// lock lets only one of several starting servers at it.
    ///
    /// # Errors
    /// A migration failed for another reason than the database's absence.
    pub async fn prepare(&self) -> Result<(), PrepareError> {
        let mut migrator = sqlx::migrate!();
        // A newer version may have been here. Its schema serves us too, or it would not have been released.
        migrator.set_ignore_missing(true);
        loop {
            if self.answers(PATIENCE).await {
                match self.migrate(&migrator).await {
                    Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _))
                        if error::passes(&error) =>
                    {
                        tracing::info!(%error, "the migration is tried again");
                    }
                    done => return Ok(done?),
                }
            }
            tracing::info!("waiting for the database");
            sleep(PAUSE).await;
        }
    }

    /// Runs the migrations on a connection that is closed afterwards, however they end: with it goes the lock by which
    /// the migrator keeps others out, and which it keeps itself when a migration fails.
    async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut connection = self.pool.acquire().await?;
        let done = migrator.run(&mut *connection).await;
        connection.close().await?;
        done
    }

    /// Whether the database answers within this time.
    pub async fn answers(&self, within: Duration) -> bool {
        matches!(timeout(within, self.pool.execute("SELECT 1")).await, Ok(Ok(_)))
    }

    /// Says good-bye on every connection, so that Postgres need not find out by itself. One that is still busy is
    /// waited for up to `within`.
    pub async fn close(&self, within: Duration) {
        if timeout(within, self.pool.close()).await.is_err() {
            tracing::warn!("connections of the database did not close in time");
        }
    }
}
