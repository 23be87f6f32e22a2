//! Orders: the seats and the order are written together, or not at all.

use sqlx::PgConnection;
use tracing::instrument;

use super::{Store, StoreError};
use crate::model::{NewOrder, Order};

impl Store {
    /// Takes seats of an event.
    ///
    /// # Errors
    /// The event is unknown, too few seats are left, or the database failed.
    #[instrument(skip_all, fields(event_id, seats = new.seats))]
    pub async fn place_order(&self, event_id: i64, new: &NewOrder) -> Result<Order, StoreError> {
        let mut transaction = self.pool.begin().await?;
        take_seats(&mut transaction, event_id, new.seats).await?;
        let order = insert_order(&mut transaction, event_id, new).await?;
        transaction.commit().await?;
        Ok(order)
    }

    /// Reads an order.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    #[instrument(skip(self))]
    pub async fn order(&self, id: i64) -> Result<Order, StoreError> {
        sqlx::query_as("SELECT id, event_id, buyer, seats FROM orders WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StoreError::UnknownOrder)
    }
}

/// Takes the seats if there are that many, in one statement: whoever else wants them waits for its end.
async fn take_seats(connection: &mut PgConnection, event_id: i64, seats: i32) -> Result<(), StoreError> {
    let taken =
        sqlx::query("UPDATE events SET seats_sold = seats_sold + $2 WHERE id = $1 AND seats - seats_sold >= $2")
            .bind(event_id)
            .bind(seats)
            .execute(&mut *connection)
            .await?;
    if taken.rows_affected() == 1 {
        return Ok(());
    }
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM events WHERE id = $1)")
        .bind(event_id)
        .fetch_one(connection)
        .await?;
    Err(if known { StoreError::SoldOut } else { StoreError::UnknownEvent })
}

/// Writes both names of the column, for as long as instances of version 1 read the old one.
async fn insert_order(connection: &mut PgConnection, event_id: i64, new: &NewOrder) -> Result<Order, StoreError> {
    let order = sqlx::query_as(
        "INSERT INTO orders (event_id, customer, buyer, seats) VALUES ($1, $2, $2, $3)
         RETURNING id, event_id, buyer, seats",
    )
    .bind(event_id)
    .bind(&new.buyer)
    .bind(new.seats)
    .fetch_one(connection)
    .await?;
    Ok(order)
}
