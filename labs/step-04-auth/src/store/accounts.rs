//! Accounts.

use super::{Store, StoreError};
use crate::model::{Account, AccountChange};

impl Store {
    /// Creates an account. Every account starts as a customer's.
    ///
    /// # Errors
    /// The address is already in use, or the database failed.
    // TODO(step-04.1): users has no column for the password's hash yet. Add one with a migration, and fill it here.
    pub async fn create_account(&self, email: &str, name: &str) -> Result<Account, StoreError> {
        let statement = "INSERT INTO users (email, name) VALUES ($1, $2) RETURNING id, email, name, role, disabled";
        Ok(sqlx::query_as(statement).bind(email).bind(name).fetch_one(&self.pool).await?)
    }

    /// The account with this id.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn account(&self, id: i64) -> Result<Account, StoreError> {
        let statement = "SELECT id, email, name, role, disabled FROM users WHERE id = $1";
        sqlx::query_as(statement).bind(id).fetch_optional(&self.pool).await?.ok_or(StoreError::Unknown("user"))
    }

    /// The account with this address, if there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn account_of(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let statement = "SELECT id, email, name, role, disabled FROM users WHERE lower(email) = lower($1)";
        Ok(sqlx::query_as(statement).bind(email).fetch_optional(&self.pool).await?)
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

    /// Changes an account.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn change_account(&self, id: i64, change: AccountChange) -> Result<Account, StoreError> {
        sqlx::query_as(
            "UPDATE users SET role = coalesce($2, role), disabled = coalesce($3, disabled) WHERE id = $1
             RETURNING id, email, name, role, disabled",
        )
        .bind(id)
        .bind(change.role.map(|role| role.as_str()))
        .bind(change.disabled)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(StoreError::Unknown("user"))
    }
}
