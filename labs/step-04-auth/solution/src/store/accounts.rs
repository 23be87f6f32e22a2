//! Accounts.

use sqlx::FromRow;

use super::{Store, StoreError};
use crate::model::{Account, AccountChange};

/// What it takes to decide a log-in.
#[derive(Debug, FromRow)]
pub struct Login {
    /// Whose it would be.
    #[sqlx(flatten)]
    pub account: Account,
    /// What the password has to match.
    pub password_hash: String,
}

impl Store {
    /// Makes an account. Every account begins as a customer's.
    ///
    /// # Errors
    /// The address is taken, or the database failed.
    pub async fn create_account(&self, email: &str, name: &str, password_hash: &str) -> Result<Account, StoreError> {
        let account = sqlx::query_as(
            "INSERT INTO users (email, name, password_hash) VALUES ($1, $2, $3)
             RETURNING id, email, name, role, disabled",
        )
        .bind(email)
        .bind(name)
        .bind(password_hash)
        .fetch_one(&self.pool)
        .await?;
        Ok(account)
    }

    /// The account with this address, if there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn login(&self, email: &str) -> Result<Option<Login>, StoreError> {
        let login = sqlx::query_as(
            "SELECT id, email, name, role, disabled, password_hash FROM users WHERE lower(email) = lower($1)",
        )
        .bind(email)
        .fetch_optional(&self.pool)
        .await?;
        Ok(login)
    }

    /// All accounts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let accounts = sqlx::query_as("SELECT id, email, name, role, disabled FROM users ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(accounts)
    }

    /// Changes an account. One that is locked out loses its sessions: they do not come back with it.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn change_account(&self, id: i64, change: AccountChange) -> Result<Account, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let account: Option<Account> = sqlx::query_as(
            "UPDATE users SET role = coalesce($2, role), disabled = coalesce($3, disabled) WHERE id = $1
             RETURNING id, email, name, role, disabled",
        )
        .bind(id)
        .bind(change.role.map(|role| role.as_str()))
        .bind(change.disabled)
        .fetch_optional(&mut *transaction)
        .await?;
        let account = account.ok_or(StoreError::Unknown("user"))?;
        if account.disabled {
            for statement in [
                "UPDATE sessions SET ended_at = now() WHERE user_id = $1",
                "DELETE FROM web_sessions WHERE user_id = $1",
            ] {
                sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        Ok(account)
    }
}
