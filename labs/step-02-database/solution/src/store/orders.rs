//! Orders: seats and credit change hands together, or not at all.
//!
//! Every transaction here takes its rows in one order, first the order, then the event, then the customer, so
//! that no two of them wait for each other.

use sqlx::PgConnection;
use tracing::instrument;

use super::{Store, StoreError};
use crate::model::{NewOrder, Order};

impl Store {
    /// Takes seats of an event and the credit that they cost.
    ///
    /// # Errors
    /// The event or the customer is unknown, too few seats or too little credit are left, or the database failed.
    #[instrument(skip_all, fields(event_id, customer_id = new.customer_id, seats = new.seats))]
    pub async fn place_order(&self, event_id: i64, new: NewOrder) -> Result<Order, StoreError> {
        self.run(|| self.try_place(event_id, new)).await
    }

    async fn try_place(&self, event_id: i64, new: NewOrder) -> Result<Order, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let price_cents = take_seats(&mut transaction, event_id, new.seats).await?;
        let total_cents = price_cents * i64::from(new.seats);
        charge(&mut transaction, new.customer_id, total_cents).await?;
        let order = insert_order(&mut transaction, event_id, new, total_cents).await?;
        insert_lines(&mut transaction, &order, price_cents).await?;
        transaction.commit().await?;
        Ok(order)
    }

    /// Gives the seats and the credit of an order back.
    ///
    /// # Errors
    /// The order is unknown or cancelled already, or the database failed.
    #[instrument(skip(self))]
    pub async fn cancel_order(&self, id: i64) -> Result<Order, StoreError> {
        self.run(|| self.try_cancel(id)).await
    }

    async fn try_cancel(&self, id: i64) -> Result<Order, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let order = mark_cancelled(&mut transaction, id).await?;
        return_seats(&mut transaction, &order).await?;
        refund(&mut transaction, &order).await?;
        transaction.commit().await?;
        Ok(order)
    }
}

/// Takes the seats if there are that many, in one statement: whoever else wants them waits for its end and then
/// sees what is left. Gives the price of a seat.
async fn take_seats(connection: &mut PgConnection, event_id: i64, seats: i32) -> Result<i64, StoreError> {
    let price_cents = sqlx::query_scalar(
        "UPDATE events SET seats_sold = seats_sold + $2 WHERE id = $1 AND seats - seats_sold >= $2
         RETURNING price_cents",
    )
    .bind(event_id)
    .bind(seats)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(price_cents) = price_cents {
        return Ok(price_cents);
    }
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM events WHERE id = $1)")
        .bind(event_id)
        .fetch_one(connection)
        .await?;
    Err(if known { StoreError::SoldOut } else { StoreError::UnknownEvent })
}

/// Takes the credit if there is that much.
async fn charge(connection: &mut PgConnection, customer_id: i64, total_cents: i64) -> Result<(), StoreError> {
    let charged =
        sqlx::query("UPDATE customers SET balance_cents = balance_cents - $2 WHERE id = $1 AND balance_cents >= $2")
            .bind(customer_id)
            .bind(total_cents)
            .execute(&mut *connection)
            .await?;
    if charged.rows_affected() == 1 {
        return Ok(());
    }
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM customers WHERE id = $1)")
        .bind(customer_id)
        .fetch_one(connection)
        .await?;
    Err(if known { StoreError::InsufficientBalance } else { StoreError::UnknownCustomer })
}

async fn insert_order(
    connection: &mut PgConnection,
    event_id: i64,
    new: NewOrder,
    total_cents: i64,
) -> Result<Order, StoreError> {
    let order = sqlx::query_as(
        "INSERT INTO orders (event_id, customer_id, status, total_cents) VALUES ($1, $2, 'confirmed', $3)
         RETURNING id, event_id, customer_id, $4::integer AS seats, total_cents, status, created_at",
    )
    .bind(event_id)
    .bind(new.customer_id)
    .bind(total_cents)
    .bind(new.seats)
    .fetch_one(connection)
    .await?;
    Ok(order)
}

/// All lines with one statement, however many seats there are.
async fn insert_lines(connection: &mut PgConnection, order: &Order, price_cents: i64) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO order_lines (order_id, price_cents) SELECT $1, $2 FROM generate_series(1, $3)")
        .bind(order.id)
        .bind(price_cents)
        .bind(order.seats)
        .execute(connection)
        .await?;
    Ok(())
}

/// Only one of many who cancel the same order finds it confirmed.
async fn mark_cancelled(connection: &mut PgConnection, id: i64) -> Result<Order, StoreError> {
    let cancelled = sqlx::query_as(
        "UPDATE orders SET status = 'cancelled' WHERE id = $1 AND status = 'confirmed'
         RETURNING id, event_id, customer_id, total_cents, status, created_at,
                   (SELECT count(*) FROM order_lines WHERE order_id = orders.id)::integer AS seats",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(order) = cancelled {
        return Ok(order);
    }
    let known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM orders WHERE id = $1)").bind(id).fetch_one(connection).await?;
    Err(if known { StoreError::AlreadyCancelled } else { StoreError::UnknownOrder })
}

async fn return_seats(connection: &mut PgConnection, order: &Order) -> Result<(), StoreError> {
    sqlx::query("UPDATE events SET seats_sold = seats_sold - $2 WHERE id = $1")
        .bind(order.event_id)
        .bind(order.seats)
        .execute(connection)
        .await?;
    Ok(())
}

async fn refund(connection: &mut PgConnection, order: &Order) -> Result<(), StoreError> {
    sqlx::query("UPDATE customers SET balance_cents = balance_cents + $2 WHERE id = $1")
        .bind(order.customer_id)
        .bind(order.total_cents)
        .execute(connection)
        .await?;
    Ok(())
}
