//! Making and reading events.

use tracing::instrument;

use super::{Store, StoreError};
use crate::model::{Event, NewEvent};

/// The most events that a list shows.
const MOST: i64 = 100;

impl Store {
    /// Makes an event.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip_all)]
    pub async fn create_event(&self, new: &NewEvent) -> Result<Event, StoreError> {
        let event = sqlx::query_as(
            "INSERT INTO events (title, seats) VALUES ($1, $2)
             RETURNING id, title, seats, seats - seats_sold AS seats_left",
        )
        .bind(&new.title)
        .bind(new.seats)
        .fetch_one(&self.pool)
        .await?;
        Ok(event)
    }

    /// Reads an event.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    #[instrument(skip(self))]
    pub async fn event(&self, id: i64) -> Result<Event, StoreError> {
        sqlx::query_as("SELECT id, title, seats, seats - seats_sold AS seats_left FROM events WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StoreError::UnknownEvent)
    }

    /// The newest events.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip_all)]
    pub async fn events(&self) -> Result<Vec<Event>, StoreError> {
        let events = sqlx::query_as(
            "SELECT id, title, seats, seats - seats_sold AS seats_left FROM events ORDER BY id DESC LIMIT $1",
        )
        .bind(MOST)
        .fetch_all(&self.pool)
        .await?;
        Ok(events)
    }
}
