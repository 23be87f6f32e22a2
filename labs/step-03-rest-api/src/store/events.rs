//! Events: made, read, listed, deleted.

use super::event_cursor::EventCursor;
use super::{Store, StoreError};
use crate::model::{Event, Listing, NewEvent, Slice};

macro_rules! columns {
    () => {
        "id, title, description, starts_at, seats, seats_sold, price_cents, created_at"
    };
}

impl Store {
    /// Makes an event.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_event(&self, new: &NewEvent) -> Result<Event, StoreError> {
        let event = sqlx::query_as(concat!(
            "INSERT INTO events (title, description, starts_at, seats, price_cents) VALUES ($1, $2, $3, $4, $5)
             RETURNING ",
            columns!()
        ))
        .bind(&new.title)
        .bind(&new.description)
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
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM events WHERE id = $1"))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or(StoreError::NotFound)
    }

    /// Reads one page of the list: the soonest first.
    ///
    /// # Errors
    /// `after` is no cursor of this list, or the database failed.
    pub async fn list_events(&self, listing: &Listing) -> Result<Slice<Event>, StoreError> {
        let after = listing.after.as_deref().map(EventCursor::decode).transpose()?;
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM events WHERE $1::timestamptz IS NULL OR (starts_at, id) > ($1, $2) ORDER BY starts_at, id LIMIT $3"
        ))
        .bind(after.map(|cursor| cursor.starts_at))
        .bind(after.map(|cursor| cursor.id))
        .bind(listing.rows_to_read())
        .fetch_all(&self.pool)
        .await?;
        Ok(listing.slice(rows, |event| EventCursor::after(event).encode()))
    }

    /// Deletes an event that nobody has seats of.
    ///
    /// # Errors
    /// There is none of this id, it has orders, or the database failed.
    pub async fn delete_event(&self, id: i64) -> Result<(), StoreError> {
        // TODO(step-03.5): only if it is still the version that the client has seen, in one statement.
        let deleted = sqlx::query("DELETE FROM events WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(StoreError::from_violation)?;
        if deleted.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
    }

    // TODO(step-03.3): change an event, and only what the patch names.
}
