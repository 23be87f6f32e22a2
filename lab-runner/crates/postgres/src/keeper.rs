//! Keeps the run's roles as they were made.
//!
//! Every role may change its own password, and no setting of Postgres forbids it. A submission that did so could sign in at
//! the server's own port, around the proxy. So a transaction that stays open has changed the roles' rows in `pg_authid`:
//! others see them as they were, and who wants to change them waits until it is over (PostgreSQL manual, 13.3.2 Row-Level
//! Locks).

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection};
use tokio::sync::Mutex;

/// The transaction.
#[derive(Debug)]
pub(super) struct Keeper(Mutex<Option<PgConnection>>);

impl Keeper {
    /// Begins it.
    pub async fn start(options: &PgConnectOptions) -> sqlx::Result<Self> {
        let settings =
            [("idle_in_transaction_session_timeout", "0"), ("statement_timeout", "0"), ("lock_timeout", "5s")];
        let mut connection = options.clone().options(settings).connect().await?;
        connection.execute("begin isolation level read committed").await?;
        Ok(Self(Mutex::new(Some(connection))))
    }

    /// Keeps `roles`, each with its limit of connections, until [`Keeper::let_go`].
    pub async fn hold(&self, roles: &[(&str, i32)]) -> sqlx::Result<()> {
        let mut connection = self.0.lock().await;
        let Some(connection) = connection.as_mut() else { return Ok(()) };
        connection.execute("savepoint next").await?;
        for (role, limit) in roles {
            let change = format!("alter role {role} connection limit {limit}");
            if let Err(error) = connection.execute(AssertSqlSafe(change)).await {
                connection.execute("rollback to savepoint next").await?;
                return Err(error);
            }
        }
        connection.execute("release savepoint next").await?;
        Ok(())
    }

    /// Ends it without having changed anything.
    pub async fn let_go(&self) {
        if let Some(mut connection) = self.0.lock().await.take() {
            // Where it does not answer, its end ends the transaction too.
            let _ = connection.execute("rollback").await;
        }
    }
}
