//! Idempotency keys: who comes second waits for the first, and is given the same answer
//! (draft-ietf-httpapi-idempotency-key-header).

use sqlx::PgConnection;
use sqlx::types::Json;

use super::StoreError;
use crate::model::{NewOrder, Order};

/// What was done under a key before.
#[derive(Debug)]
pub enum Earlier {
    /// Nothing: the key is ours until the transaction ends.
    Nothing,
    /// The same request made this order.
    Order(Order),
}

/// Takes the key. If another transaction holds it, this one waits until that ends: the unique index sees to it.
/// There is no moment between looking and taking.
///
/// # Errors
/// The key was used for another order, or the database failed.
pub async fn claim(connection: &mut PgConnection, key: &str, new: &NewOrder) -> Result<Earlier, StoreError> {
    let claimed = sqlx::query("INSERT INTO idempotency_keys (key, request) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(key)
        .bind(Json(new))
        .execute(&mut *connection)
        .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Earlier::Nothing);
    }
    let earlier: Option<Json<Order>> =
        sqlx::query_scalar("SELECT answer FROM idempotency_keys WHERE key = $1 AND request = $2")
            .bind(key)
            .bind(Json(new))
            .fetch_optional(connection)
            .await?;
    earlier.map(|Json(order)| Earlier::Order(order)).ok_or(StoreError::KeyReused)
}

/// Writes down what the key's first request is answered with.
///
/// # Errors
/// The database failed.
pub async fn remember(connection: &mut PgConnection, key: &str, order: &Order) -> Result<(), StoreError> {
    sqlx::query("UPDATE idempotency_keys SET answer = $2 WHERE key = $1")
        .bind(key)
        .bind(Json(order))
        .execute(connection)
        .await?;
    Ok(())
}
