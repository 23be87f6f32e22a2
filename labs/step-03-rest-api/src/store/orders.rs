//! Orders: made, read, listed, deleted. Seats change hands together with the order, or not at all.
//!
//! Every transaction here takes the event's row before the order's, so that no two of them wait for each other.

use sqlx::PgConnection;

use super::{Store, StoreError};
use crate::model::{Listing, NewOrder, Order, Slice};

macro_rules! columns {
    () => {
        "id, event_id, email, seats, note, total_cents, created_at"
    };
}

impl Store {
    /// Takes seats of an event.
    ///
    /// # Errors
    /// The event is unknown or has too few seats left, or the database failed.
    pub async fn place_order(&self, new: &NewOrder) -> Result<Order, StoreError> {
        // TODO(step-03.6): with a key, a retry gets the order that the first try created. Which statement makes a twin
        // wait for the first?
        let mut transaction = self.pool.begin().await?;
        let total_cents = take_seats(&mut transaction, new).await?;
        let order = insert(&mut transaction, new, total_cents).await?;
        transaction.commit().await?;
        Ok(order)
    }

    /// Reads an order.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn order(&self, id: i64) -> Result<Order, StoreError> {
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM orders WHERE id = $1"))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StoreError::NotFound)
    }

    /// Reads one page of the list, the oldest first: all orders, or one event's.
    ///
    /// # Errors
    /// `after` is no cursor of this list, or the database failed.
    pub async fn list_orders(&self, listing: &Listing, event_id: Option<i64>) -> Result<Slice<Order>, StoreError> {
        let after: Option<i64> =
            listing.after.as_deref().map(str::parse).transpose().map_err(|_| StoreError::UnknownCursor)?;
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM orders WHERE ($1::bigint IS NULL OR event_id = $1) AND ($2::bigint IS NULL OR id > $2)
              ORDER BY id LIMIT $3"
        ))
        .bind(event_id)
        .bind(after)
        .bind(listing.rows_to_read())
        .fetch_all(&self.pool)
        .await?;
        Ok(listing.slice(rows, |order: &Order| order.id.to_string()))
    }

    /// Deletes an order and gives its seats back.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn delete_order(&self, id: i64) -> Result<(), StoreError> {
        // TODO(step-03.5): only if it is still the version that the client has seen. And what happens to the event's
        // version?
        let mut transaction = self.pool.begin().await?;
        return_seats(&mut transaction, id).await?;
        let deleted = sqlx::query("DELETE FROM orders WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        if deleted.rows_affected() == 1 {
            return Ok(transaction.commit().await?);
        }
        // The seats go back to the order with the transaction.
        transaction.rollback().await?;
        Err(StoreError::NotFound)
    }

    // TODO(step-03.3): change an order, and only what the patch names.
}

/// Takes the seats if there are that many, in one statement: whoever else wants them waits for its end and then
/// sees what is left. Gives what they cost.
async fn take_seats(connection: &mut PgConnection, new: &NewOrder) -> Result<i64, StoreError> {
    let total_cents = sqlx::query_scalar(
        "UPDATE events SET seats_sold = seats_sold + $2 WHERE id = $1 AND seats - seats_sold >= $2
         RETURNING price_cents * $2",
    )
    .bind(new.event_id)
    .bind(new.seats)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(total_cents) = total_cents {
        return Ok(total_cents);
    }
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM events WHERE id = $1)")
        .bind(new.event_id)
        .fetch_one(connection)
        .await?;
    Err(if known { StoreError::SoldOut } else { StoreError::UnknownEvent })
}

async fn insert(connection: &mut PgConnection, new: &NewOrder, total_cents: i64) -> Result<Order, StoreError> {
    let order = sqlx::query_as(concat!(
        "INSERT INTO orders (event_id, email, seats, note, total_cents) VALUES ($1, $2, $3, $4, $5) RETURNING ",
        columns!()
    ))
    .bind(new.event_id)
    .bind(&new.email)
    .bind(new.seats)
    .bind(&new.note)
    .bind(total_cents)
    .fetch_one(connection)
    .await?;
    Ok(order)
}

/// An order's event and seats never change, so what the inner query read stays true while the row is waited for.
async fn return_seats(connection: &mut PgConnection, order_id: i64) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE events SET seats_sold = seats_sold - orders.seats
         FROM orders WHERE orders.id = $1 AND events.id = orders.event_id",
    )
    .bind(order_id)
    .execute(connection)
    .await?;
    Ok(())
}
