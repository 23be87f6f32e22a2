//! The store: everything that is said to Postgres.

mod error;
mod orders;

use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, PgPool};
use tokio::time::sleep;
use uuid::Uuid;

pub use error::StoreError;

use crate::configuration::Databases;

/// How long to wait before a database that was not there is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// A pool that connects when it is first used.
    pub fn new(databases: &Databases) -> Self {
        // TODO(step-08.6): where there is a choice, one is the primary, and which one changes while we run.
        let options = PgPoolOptions::new().max_connections(10).acquire_timeout(Duration::from_secs(3));
        Self { pool: options.connect_lazy_with(databases.first()) }
    }

    /// Waits for the database and brings the schema up to date. A lock lets only one of several starting servers at it.
    ///
    /// # Errors
    /// A migration failed.
    pub async fn prepare(&self) -> Result<(), MigrateError> {
        while self.pool.execute("SELECT 1").await.is_err() {
            tracing::info!("waiting for the database");
            sleep(PAUSE).await;
        }
        sqlx::migrate!().run(&self.pool).await
    }
}

/// An id that nobody has yet.
fn new_id() -> Uuid {
    Uuid::new_v4()
}
