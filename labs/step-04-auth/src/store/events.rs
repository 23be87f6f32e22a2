//! Events.

use super::{Store, StoreError};
use crate::model::{Event, Listing, NewEvent};

impl Store {
    /// Makes an event.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_event(&self, organizer_id: i64, new: &NewEvent) -> Result<Event, StoreError> {
        let event = sqlx::query_as(
            "INSERT INTO events (organizer_id, title, starts_at, seats, price_cents) VALUES ($1, $2, $3, $4, $5)
             RETURNING id, organizer_id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents",
        )
        .bind(organizer_id)
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
        sqlx::query_as(
            "SELECT id, organizer_id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents
             FROM events WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(StoreError::Unknown("event"))
    }

    /// Reads the events whose title contains `listing.q`.
    ///
    /// # Errors
    /// The database failed.
    // TODO(step-04.7): somebody was in a hurry here. What is in `listing`, and where does it come from?
    pub async fn events(&self, listing: &Listing) -> Result<Vec<Event>, StoreError> {
        let statement = format!(
            "SELECT id, organizer_id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents
             FROM events WHERE lower(title) LIKE lower('%{}%') ORDER BY {}, id LIMIT 100",
            listing.q, listing.sort
        );
        let events = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_all(&self.pool).await?;
        Ok(events)
    }

    /// Gives an event other values.
    ///
    /// # Errors
    /// There is none of this id, more seats are sold than there would be, or the database failed.
    pub async fn change_event(&self, id: i64, new: &NewEvent) -> Result<Event, StoreError> {
        sqlx::query_as(
            "UPDATE events SET title = $2, starts_at = $3, seats = $4, price_cents = $5 WHERE id = $1
             RETURNING id, organizer_id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents",
        )
        .bind(id)
        .bind(&new.title)
        .bind(new.starts_at)
        .bind(new.seats)
        .bind(new.price_cents)
        .fetch_optional(&self.pool)
        .await?
        .ok_or(StoreError::Unknown("event"))
    }

    /// Removes an event.
    ///
    /// # Errors
    /// There is none of this id, there are orders for it, or the database failed.
    pub async fn delete_event(&self, id: i64) -> Result<(), StoreError> {
        let deleted = sqlx::query("DELETE FROM events WHERE id = $1").bind(id).execute(&self.pool).await?;
        if deleted.rows_affected() == 0 { Err(StoreError::Unknown("event")) } else { Ok(()) }
    }
}
