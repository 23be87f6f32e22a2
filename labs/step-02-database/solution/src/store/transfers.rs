//! Transfers: what one customer loses, another gains.

use sqlx::PgConnection;
use tracing::instrument;

use super::{Store, StoreError};
use crate::model::{NewTransfer, Transfer};

impl Store {
    /// Sends credit from one customer to another.
    ///
    /// # Errors
    /// One of the two is unknown, the sender has too little, or the database failed.
    #[instrument(skip_all, fields(from = new.from_customer_id, to = new.to_customer_id))]
    pub async fn send_credit(&self, new: NewTransfer) -> Result<Transfer, StoreError> {
        self.run(|| self.try_send(new)).await
    }

    async fn try_send(&self, new: NewTransfer) -> Result<Transfer, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let balance_cents = lock_both(&mut transaction, new).await?;
        if balance_cents < new.amount_cents {
            return Err(StoreError::InsufficientBalance);
        }
        add(&mut transaction, new.from_customer_id, -new.amount_cents).await?;
        add(&mut transaction, new.to_customer_id, new.amount_cents).await?;
        let transfer = insert_transfer(&mut transaction, new).await?;
        transaction.commit().await?;
        Ok(transfer)
    }
}

/// Locks both customers, always the smaller id first: two who send to each other at once would otherwise each
/// hold the row the other waits for. Gives the sender's balance.
async fn lock_both(connection: &mut PgConnection, new: NewTransfer) -> Result<i64, StoreError> {
    let locked: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, balance_cents FROM customers WHERE id IN ($1, $2) ORDER BY id FOR NO KEY UPDATE")
            .bind(new.from_customer_id)
            .bind(new.to_customer_id)
            .fetch_all(connection)
            .await?;
    if locked.len() < 2 {
        return Err(StoreError::UnknownCustomer);
    }
    let sender = locked.into_iter().find(|(id, _)| *id == new.from_customer_id);
    sender.map(|(_, balance_cents)| balance_cents).ok_or(StoreError::UnknownCustomer)
}

async fn add(connection: &mut PgConnection, customer_id: i64, cents: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE customers SET balance_cents = balance_cents + $2 WHERE id = $1")
        .bind(customer_id)
        .bind(cents)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_transfer(connection: &mut PgConnection, new: NewTransfer) -> Result<Transfer, StoreError> {
    let transfer = sqlx::query_as(
        "INSERT INTO transfers (from_customer_id, to_customer_id, amount_cents) VALUES ($1, $2, $3)
         RETURNING id, from_customer_id, to_customer_id, amount_cents, created_at",
    )
    .bind(new.from_customer_id)
    .bind(new.to_customer_id)
    .bind(new.amount_cents)
    .fetch_one(connection)
    .await?;
    Ok(transfer)
}
