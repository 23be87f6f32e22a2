//! Sessions of the API, and the refresh tokens that keep them going.
//!
//! A token says who sent it. Whether that still counts, only the database knows.

use tracing::instrument;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::model::Account;

impl Store {
    /// Begins a session. Gives its id and that of its first refresh token.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin_session(&self, user_id: i64) -> Result<(Uuid, Uuid), StoreError> {
        let ids = sqlx::query_as(
            "WITH session AS (INSERT INTO sessions (user_id) VALUES ($1) RETURNING id)
             INSERT INTO refresh_tokens (session_id) SELECT id FROM session RETURNING session_id, id",
        )
        .bind(user_id)
        .fetch_one(&self.pool)
        .await?;
        Ok(ids)
    }

    /// Whose session this is, as long as it lives and they are welcome. Role and name are those of this moment.
    ///
    /// # Errors
    /// The database failed.
    pub async fn account_of_session(&self, session: Uuid, user_id: i64) -> Result<Option<Account>, StoreError> {
        let account = sqlx::query_as(
            "SELECT u.id, u.email, u.name, u.role, u.disabled FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id = $1 AND u.id = $2 AND s.ended_at IS NULL AND NOT u.disabled",
        )
        .bind(session)
        .bind(user_id)
        .fetch_optional(&self.pool)
        .await?;
        Ok(account)
    }

    /// Uses a refresh token up and gives the id of the next one; `None` if it was used before. The session of
    /// such a token ends: one of the two who hold it is a thief, and nobody knows which.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, token))]
    pub async fn rotate(&self, session: Uuid, token: Uuid) -> Result<Option<Uuid>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // One statement: of two who come at once, the second waits for the first and finds the token used.
        let used = sqlx::query(
            "UPDATE refresh_tokens SET used_at = now() WHERE id = $1 AND session_id = $2 AND used_at IS NULL",
        )
        .bind(token)
        .bind(session)
        .execute(&mut *transaction)
        .await?;
        if used.rows_affected() == 0 {
            transaction.rollback().await?;
            tracing::warn!("a refresh token was used twice: its session ends");
            self.end_session(session).await?;
            return Ok(None);
        }
        let next = sqlx::query_scalar("INSERT INTO refresh_tokens (session_id) VALUES ($1) RETURNING id")
            .bind(session)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(next))
    }

    /// Ends a session and everything that came of it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_session(&self, session: Uuid) -> Result<(), StoreError> {
        sqlx::query("UPDATE sessions SET ended_at = now() WHERE id = $1 AND ended_at IS NULL")
            .bind(session)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
