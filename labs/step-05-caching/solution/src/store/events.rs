//! Reading and writing events.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::model::{Event, Listing, NewEvent, Sort};

/// What a write came to.
#[derive(Debug, FromRow)]
pub struct Written {
    /// The event as it is now.
    #[sqlx(flatten)]
    pub event: Event,
    /// Whether it is new.
    pub created: bool,
}

impl Store {
    /// Reads an event.
    ///
    /// # Errors
    /// The database failed.
    pub async fn event(&self, id: Uuid) -> Result<Option<Event>, StoreError> {
        let event =
            sqlx::query_as("SELECT id, title, category, starts_at, seats, price_cents FROM events WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
        Ok(event)
    }

    /// Reads several events with one statement, in no order.
    ///
    /// # Errors
    /// The database failed.
    pub async fn events(&self, ids: &[Uuid]) -> Result<Vec<Event>, StoreError> {
        let events =
            sqlx::query_as("SELECT id, title, category, starts_at, seats, price_cents FROM events WHERE id = ANY ($1)")
                .bind(ids)
                .fetch_all(&self.pool)
                .await?;
        Ok(events)
    }

    /// Reads a list of events.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Event>, StoreError> {
        let sql = match listing.sort {
            Sort::StartsAt => {
                "SELECT id, title, category, starts_at, seats, price_cents FROM events
                 WHERE $1::text IS NULL OR category = $1 ORDER BY starts_at, id LIMIT $2"
            }
            Sort::Price => {
                "SELECT id, title, category, starts_at, seats, price_cents FROM events
                 WHERE $1::text IS NULL OR category = $1 ORDER BY price_cents, id LIMIT $2"
            }
        };
        let events =
            sqlx::query_as(sql).bind(&listing.category).bind(i64::from(listing.limit)).fetch_all(&self.pool).await?;
        Ok(events)
    }

    /// Writes an event, whether there was one of this id or not. When this returns, it is committed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_event(&self, id: Uuid, new: &NewEvent) -> Result<Written, StoreError> {
        // A row that was just inserted has no deleting transaction: xmax is 0.
        let written = sqlx::query_as(
            "INSERT INTO events (id, title, category, starts_at, seats, price_cents) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE
             SET title = $2, category = $3, starts_at = $4, seats = $5, price_cents = $6
             RETURNING id, title, category, starts_at, seats, price_cents, xmax = 0 AS created",
        )
        .bind(id)
        .bind(&new.title)
        .bind(&new.category)
        .bind(new.starts_at)
        .bind(new.seats)
        .bind(new.price_cents)
        .fetch_one(&self.pool)
        .await?;
        Ok(written)
    }

    /// Removes an event; says whether there was one. When this returns, it is committed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_event(&self, id: Uuid) -> Result<bool, StoreError> {
        let deleted = sqlx::query("DELETE FROM events WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }
}
