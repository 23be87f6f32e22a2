//! Orders: seats change hands in one transaction, or not at all.

use tracing::instrument;

use super::{Store, StoreError};
use crate::model::{NewOrder, Order};

/// What every reading of orders begins with.
macro_rules! select_orders {
    ($where:literal) => {
        concat!(
            "SELECT o.id, o.event_id, o.customer_id, o.seats, o.total_cents, e.organizer_id ",
            "FROM orders o JOIN events e ON e.id = o.event_id WHERE ",
            $where,
            " ORDER BY o.id"
        )
    };
}

impl Store {
    /// Takes seats of an event.
    ///
    /// # Errors
    /// The event is unknown, too few seats are left, or the database failed.
    #[instrument(skip(self, new))]
    pub async fn place_order(&self, event_id: i64, customer_id: i64, new: NewOrder) -> Result<Order, StoreError> {
        let event = self.event(event_id).await?;
        let mut transaction = self.pool.begin().await?;
        let price_cents: Option<i64> = sqlx::query_scalar(
            "UPDATE events SET seats_sold = seats_sold + $2 WHERE id = $1 AND seats - seats_sold >= $2
             RETURNING price_cents",
        )
        .bind(event_id)
        .bind(new.seats)
        .fetch_optional(&mut *transaction)
        .await?;
        let price_cents = price_cents.ok_or(StoreError::SoldOut)?;
        let order = sqlx::query_as(
            "INSERT INTO orders (event_id, customer_id, seats, total_cents) VALUES ($1, $2, $3, $4)
             RETURNING id, event_id, customer_id, seats, total_cents, $5::bigint AS organizer_id",
        )
        .bind(event_id)
        .bind(customer_id)
        .bind(new.seats)
        .bind(price_cents * i64::from(new.seats))
        .bind(event.organizer_id)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(order)
    }

    /// Reads an order.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn order(&self, id: i64) -> Result<Order, StoreError> {
        sqlx::query_as(select_orders!("o.id = $1"))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StoreError::Unknown("order"))
    }

    /// Reads the orders of one customer, or all.
    ///
    /// # Errors
    /// The database failed.
    pub async fn orders(&self, customer_id: Option<i64>) -> Result<Vec<Order>, StoreError> {
        let orders = sqlx::query_as(select_orders!("$1::bigint IS NULL OR o.customer_id = $1"))
            .bind(customer_id)
            .fetch_all(&self.pool)
            .await?;
        Ok(orders)
    }

    /// Reads the orders for one event.
    ///
    /// # Errors
    /// The database failed.
    pub async fn orders_for(&self, event_id: i64) -> Result<Vec<Order>, StoreError> {
        let orders = sqlx::query_as(select_orders!("o.event_id = $1")).bind(event_id).fetch_all(&self.pool).await?;
        Ok(orders)
    }

    /// Gives the seats of an order back and forgets it.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    #[instrument(skip(self))]
    pub async fn cancel_order(&self, id: i64) -> Result<(), StoreError> {
        let returned = sqlx::query(
            "WITH gone AS (DELETE FROM orders WHERE id = $1 RETURNING event_id, seats)
             UPDATE events e SET seats_sold = e.seats_sold - gone.seats FROM gone WHERE e.id = gone.event_id",
        )
        .bind(id)
        .execute(&self.pool)
        .await?;
        if returned.rows_affected() == 0 { Err(StoreError::Unknown("order")) } else { Ok(()) }
    }
}
