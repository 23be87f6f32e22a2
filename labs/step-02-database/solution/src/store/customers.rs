//! Making customers.

use super::{Store, StoreError};
use crate::model::{Customer, NewCustomer};

impl Store {
    /// Makes a customer.
    ///
    /// # Errors
    /// The address is taken, or the database failed.
    pub async fn create_customer(&self, new: &NewCustomer) -> Result<Customer, StoreError> {
        self.run(|| self.insert_customer(new)).await
    }

    /// No look whether the address is free: between the look and the insert it may be taken. The unique index
    /// decides, and its refusal is an answer like any other.
    async fn insert_customer(&self, new: &NewCustomer) -> Result<Customer, StoreError> {
        sqlx::query_as(
            "INSERT INTO customers (email, balance_cents) VALUES ($1, $2) RETURNING id, email, balance_cents",
        )
        .bind(&new.email)
        .bind(new.balance_cents)
        .fetch_one(&self.pool)
        .await
        .map_err(email_taken)
    }
}

fn email_taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(refusal) if refusal.is_unique_violation() => StoreError::EmailTaken,
        _ => error.into(),
    }
}
