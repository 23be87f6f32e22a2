//! Orders: made, read, listed, changed, deleted. Seats change hands together with the order, or not at all.
//!
//! Every transaction here takes the event's row before the order's, so that no two of them wait for each other.

use sqlx::PgConnection;
use tracing::instrument;

use super::idempotency::{self, Earlier};
use super::{Store, StoreError};
use crate::model::{Listing, NewOrder, Order, OrderPatch, Precondition, Slice};

/// What the list of orders gives as the end of a page, as a regular expression: an order's id.
pub const ORDER_CURSOR: &str = "^[0-9]{1,18}$";

macro_rules! columns {
    () => {
        "id, event_id, email, seats, note, total_cents, created_at, version"
    };
}

impl Store {
    /// Takes seats of an event. With a key, a retry is given the order that the first try made.
    ///
    /// The key, the seats and the order are one transaction: if it fails, the key is free again.
    ///
    /// # Errors
    /// The event is unknown or has too few seats left, the key was used for another order, or the database failed.
    #[instrument(skip_all, fields(event = new.event_id, with_key = key.is_some()))]
    pub async fn place_order(&self, new: &NewOrder, key: Option<&str>) -> Result<Order, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(key) = key
            && let Earlier::Order(order) = idempotency::claim(&mut transaction, key, new).await?
        {
            return Ok(order);
        }
        let total_cents = take_seats(&mut transaction, new).await?;
        let order = insert(&mut transaction, new, total_cents).await?;
        if let Some(key) = key {
            idempotency::remember(&mut transaction, key, &order).await?;
        }
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

    /// Changes what the patch names, if the order is still the one that the client has seen.
    ///
    /// # Errors
    /// There is none of this id, it has changed, or the database failed.
    #[instrument(skip(self, seen, patch))]
    pub async fn update_order(&self, id: i64, seen: &Precondition, patch: &OrderPatch) -> Result<Order, StoreError> {
        let updated = sqlx::query_as(concat!(
            "UPDATE orders SET
                 email = COALESCE($3, email),
                 note = CASE WHEN $4 THEN $5 ELSE note END,
                 version = version + 1
             WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY ($2))
             RETURNING ",
            columns!()
        ))
        .bind(id)
        .bind(seen.versions())
        .bind(&patch.email)
        .bind(patch.note.is_some())
        .bind(patch.note.as_ref().and_then(Option::as_ref))
        .fetch_optional(&self.pool)
        .await?;
        match updated {
            Some(order) => Ok(order),
            None => Err(self.why_no_order(id).await),
        }
    }

    /// Deletes an order and gives its seats back, if it is still the one that the client has seen.
    ///
    /// # Errors
    /// There is none of this id, it has changed, or the database failed.
    #[instrument(skip(self, seen))]
    pub async fn delete_order(&self, id: i64, seen: &Precondition) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        return_seats(&mut transaction, id).await?;
        let deleted = sqlx::query("DELETE FROM orders WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY ($2))")
            .bind(id)
            .bind(seen.versions())
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 1 {
            return Ok(transaction.commit().await?);
        }
        // The seats go back to the order with the transaction.
        transaction.rollback().await?;
        Err(self.why_no_order(id).await)
    }

    /// Why a statement with a precondition found no row.
    async fn why_no_order(&self, id: i64) -> StoreError {
        self.order(id).await.map_or_else(|error| error, |_| StoreError::Stale)
    }
}

/// Takes the seats if there are that many, in one statement: whoever else wants them waits for its end and then
/// sees what is left. Gives what they cost.
async fn take_seats(connection: &mut PgConnection, new: &NewOrder) -> Result<i64, StoreError> {
    let total_cents = sqlx::query_scalar(
        "UPDATE events SET seats_sold = seats_sold + $2, version = version + 1
         WHERE id = $1 AND seats - seats_sold >= $2
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
        "UPDATE events SET seats_sold = seats_sold - orders.seats, version = events.version + 1
         FROM orders WHERE orders.id = $1 AND events.id = orders.event_id",
    )
    .bind(order_id)
    .execute(connection)
    .await?;
    Ok(())
}
