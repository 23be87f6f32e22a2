//! The store: everything that is said to Postgres, a module for each thing that is kept.

mod customers;
mod error;
mod events;
mod listing;
mod orders;
mod retry;
mod transfers;

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use sqlx::migrate::MigrateError;

pub use error::StoreError;

use crate::configuration::Configuration;

/// The box office's database. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Opens a pool that never holds more connections than the configuration allows.
    ///
    /// # Errors
    /// The URL makes no sense.
    pub async fn connect(configuration: &Configuration) -> Result<Self, sqlx::Error> {
        // TODO(step-02.3): this pool has sqlx's default size, and waits for a connection for sqlx's default time. Look
        // at `PgPoolOptions` and at `configuration`.
        let pool = PgPool::connect_lazy(configuration.database_url.expose_secret())?;
        Ok(Self { pool })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// A migration failed.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        // TODO(step-02.1): run the migrations on `self.pool`. `sqlx::migrate!()` compiles the folder `migrations`
        // into the program; find out what else it does when several servers start at once.
        Ok(())
    }

    /// The connections to run queries on.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Does `work`, a transaction, and does it again when Postgres asks for that.
    async fn run<T, Work, Attempt>(&self, work: Work) -> Result<T, StoreError>
    where
        Work: Fn() -> Attempt,
        Attempt: Future<Output = Result<T, StoreError>>,
    {
        // TODO(step-02.9): a database that does not respond must not keep the client waiting forever. Limit all of it
        // to `configuration.database_timeout` (`tokio::time::timeout`) and return `StoreError::TimedOut`.
        retry::retrying(work).await
    }
}
