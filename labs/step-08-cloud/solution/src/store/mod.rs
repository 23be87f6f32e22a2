//! The store: everything that is said to Postgres.

mod error;
mod jobs;
mod orders;
mod primary;
mod sweeps;
mod uploads;

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, PgPool};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

pub use error::StoreError;
pub use jobs::{Begun, Failed, Outgoing};
pub use sweeps::{Overtaken, Sweep, Token};

use crate::configuration::Databases;

/// How many connections there are at most.
const CONNECTIONS: u32 = 10;
/// How long a request waits for one: less than its client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long to wait before a database that was not there is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// A pool that connects when it is first used, and, where there is a choice, to the primary only.
    pub fn new(databases: &Databases) -> Self {
        let options = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let Some(choice) = databases.choice() else {
            return Self { pool: options.connect_lazy_with(databases.first()) };
        };
        let pool = primary::only(options).connect_lazy_with(databases.first());
        primary::follow(&pool, choice);
        Self { pool }
    }

    /// Waits for the database and brings the schema up to date. A lock lets only one of several starting servers at it.
    ///
    /// # Errors
    /// A migration failed for another reason than the database's absence.
    pub async fn prepare(&self) -> Result<(), MigrateError> {
        let mut migrator = sqlx::migrate!();
        // A newer version may have been here. Its schema serves us too, or it would not have been released.
        migrator.set_ignore_missing(true);
        loop {
            if matches!(timeout(PATIENCE, self.pool.execute("SELECT 1")).await, Ok(Ok(_))) {
                match self.migrate(&migrator).await {
                    Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _))
                        if error::is_outage(&error) =>
                    {
                        tracing::info!(%error, "the migration is tried again");
                    }
                    done => return done,
                }
            }
            tracing::info!("waiting for the database");
            sleep(PAUSE).await;
        }
    }

    /// Runs the migrations on a connection that is closed afterwards, however they end: with it goes the migrator's lock.
    async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut connection = self.pool.acquire().await?;
        let done = migrator.run(&mut *connection).await;
        connection.close().await?;
        done
    }

    /// Says good-bye on every connection, so that Postgres need not find out by itself. One that is still busy is
    /// waited for up to `within`.
    pub async fn close(&self, within: Duration) {
        if timeout(within, self.pool.close()).await.is_err() {
            tracing::warn!("connections of the database did not close in time");
        }
    }
}

/// An id that nobody has yet.
fn new_id() -> Uuid {
    Uuid::new_v4()
}
