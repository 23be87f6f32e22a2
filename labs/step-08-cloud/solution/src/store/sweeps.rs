//! Who sweeps, what that one has written, and what is still of use.
//!
//! Whoever holds the lease may have been stopped for a while, by its machine or by a garbage collector, and not know that
//! its time is over. No look at a clock helps: between the look and the write it may be stopped again. So each holder has a
//! token that is greater than all before, and the statement that writes looks at the newest token, in a row that it locks:
//! nobody becomes the next holder between the look and the write.

use std::time::Duration;

use serde::Serialize;
use sqlx::FromRow;
use tracing::instrument;
use uuid::Uuid;

use super::{Store, StoreError};

/// How many sweeps are remembered.
const REMEMBERED: i64 = 200;

/// What the one that sweeps shows with everything that it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(i64);

/// Another one sweeps by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another one sweeps by now")]
pub struct Overtaken;

/// A sweep that was made.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Sweep {
    /// Who made it.
    pub token: i64,
    /// How much it removed.
    pub removed: i64,
}

impl Store {
    /// Takes the lease if nobody has it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_lease(&self, lease: Duration) -> Result<Option<Token>, StoreError> {
        let token: Option<i64> = sqlx::query_scalar(
            "UPDATE sweeper SET token = token + 1, until = clock_timestamp() + $1
             WHERE until < clock_timestamp() RETURNING token",
        )
        .bind(lease)
        .fetch_optional(&self.pool)
        .await?;
        Ok(token.map(Token))
    }

    /// Keeps the lease. Tells whether it was still ours.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_lease(&self, Token(token): Token, lease: Duration) -> Result<bool, StoreError> {
        let kept = sqlx::query("UPDATE sweeper SET until = clock_timestamp() + $2 WHERE token = $1")
            .bind(token)
            .bind(lease)
            .execute(&self.pool)
            .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Gives the lease back, so that nobody has to wait for its end.
    ///
    /// # Errors
    /// The database failed.
    pub async fn give_lease_back(&self, Token(token): Token) -> Result<(), StoreError> {
        let statement = "UPDATE sweeper SET until = '-infinity' WHERE token = $1";
        sqlx::query(statement).bind(token).execute(&self.pool).await?;
        Ok(())
    }

    /// Ends the uploads whose time has been over for this long.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn expire_uploads(&self, Token(token): Token, after: Duration) -> Result<u64, StoreError> {
        let expired = sqlx::query(
            "WITH fence AS (SELECT FROM sweeper WHERE token = $1 FOR SHARE)
             UPDATE uploads SET state = 'expired' FROM fence WHERE state = 'pending' AND expires_at < now() - $2::interval",
        )
        .bind(token)
        .bind(after)
        .execute(&self.pool)
        .await?;
        Ok(expired.rows_affected())
    }

    /// Writes what a sweep has done, unless another one sweeps by now.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn report_sweep(&self, Token(token): Token, removed: u64) -> Result<Result<(), Overtaken>, StoreError> {
        let written = sqlx::query(
            "WITH fence AS (SELECT token FROM sweeper WHERE token = $1 FOR SHARE)
             INSERT INTO sweeps (token, removed) SELECT token, $2 FROM fence",
        )
        .bind(token)
        .bind(removed.cast_signed())
        .execute(&self.pool)
        .await?;
        if written.rows_affected() == 0 {
            return Ok(Err(Overtaken));
        }
        sqlx::query("DELETE FROM sweeps WHERE id <= (SELECT max(id) FROM sweeps) - $1")
            .bind(REMEMBERED)
            .execute(&self.pool)
            .await?;
        Ok(Ok(()))
    }

    /// The last sweeps, in the order in which they were written.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn sweeps(&self) -> Result<Vec<Sweep>, StoreError> {
        let mut sweeps: Vec<Sweep> = sqlx::query_as("SELECT token, removed FROM sweeps ORDER BY id DESC LIMIT $1")
            .bind(REMEMBERED)
            .fetch_all(&self.pool)
            .await?;
        sweeps.reverse();
        Ok(sweeps)
    }

    /// Which of these still come: uploads that are pending.
    ///
    /// # Errors
    /// The database failed.
    pub async fn still_coming(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        let query = "SELECT id FROM uploads WHERE id = ANY($1) AND state = 'pending'";
        Ok(sqlx::query_scalar(query).bind(ids).fetch_all(&self.pool).await?)
    }

    /// Which of these are files, or about to become one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn still_files(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        let files = sqlx::query_scalar(
            "SELECT id FROM files WHERE id = ANY($1)
             UNION SELECT id FROM uploads WHERE id = ANY($1) AND state = 'pending'
             UNION SELECT printing FROM jobs WHERE printing = ANY($1) AND state = 'running'",
        );
        Ok(files.bind(ids).fetch_all(&self.pool).await?)
    }
}
