//! Making and reading events.

use super::{Store, StoreError};
use crate::model::{Event, NewEvent};

impl Store {
    /// Makes an event.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_event(&self, new: &NewEvent) -> Result<Event, StoreError> {
        self.run(|| self.insert_event(new)).await
    }

    async fn insert_event(&self, new: &NewEvent) -> Result<Event, StoreError> {
        let event = sqlx::query_as(
            "INSERT INTO events (title, starts_at, seats, price_cents) VALUES ($1, $2, $3, $4)
             RETURNING id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents",
        )
        .bind(&new.title)
        .bind(new.starts_at)
        .bind(new.seats)
        .bind(new.price_cents)
        .fetch_one(&self.pool)
        .await?;
        Ok(event)
    }

    /// Reads an event.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn event(&self, id: i64) -> Result<Event, StoreError> {
        self.run(|| self.select_event(id)).await
    }

    async fn select_event(&self, id: i64) -> Result<Event, StoreError> {
        sqlx::query_as(
            "SELECT id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents
             FROM events WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(StoreError::UnknownEvent)
    }
}
