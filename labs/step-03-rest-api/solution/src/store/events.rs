//! Events: made, read, listed, changed, deleted.

use tracing::instrument;

use super::event_cursor::EventCursor;
use super::{Store, StoreError};
use crate::model::{Event, EventPatch, Listing, NewEvent, Precondition, Slice};

macro_rules! columns {
    () => {
        "id, title, description, starts_at, seats, seats_sold, price_cents, created_at, version"
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

    /// Changes what the patch names, if the event is still the one that the client has seen. Asking and changing are
    /// one statement: of many who have seen the same event, one changes it.
    ///
    /// # Errors
    /// There is none of this id, it has changed, more seats are sold than it shall have, or the database failed.
    #[instrument(skip(self, seen, patch))]
    pub async fn update_event(&self, id: i64, seen: &Precondition, patch: &EventPatch) -> Result<Event, StoreError> {
        let updated = sqlx::query_as(concat!(
            "UPDATE events SET
                 title = COALESCE($3, title),
                 description = CASE WHEN $4 THEN $5 ELSE description END,
                 starts_at = COALESCE($6, starts_at),
                 seats = COALESCE($7, seats),
                 price_cents = COALESCE($8, price_cents),
                 version = version + 1
             WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY ($2))
             RETURNING ",
            columns!()
        ))
        .bind(id)
        .bind(seen.versions())
        .bind(&patch.title)
        .bind(patch.description.is_some())
        .bind(patch.description.as_ref().and_then(Option::as_ref))
        .bind(patch.starts_at)
        .bind(patch.seats)
        .bind(patch.price_cents)
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::from_violation)?;
        match updated {
            Some(event) => Ok(event),
            None => Err(self.why_no_event(id).await),
        }
    }

    /// Deletes an event that nobody has seats of, if it is still the one that the client has seen.
    ///
    /// # Errors
    /// There is none of this id, it has changed or has orders, or the database failed.
    #[instrument(skip(self, seen))]
    pub async fn delete_event(&self, id: i64, seen: &Precondition) -> Result<(), StoreError> {
        let deleted = sqlx::query("DELETE FROM events WHERE id = $1 AND ($2::bigint[] IS NULL OR version = ANY ($2))")
            .bind(id)
            .bind(seen.versions())
            .execute(&self.pool)
            .await
            .map_err(StoreError::from_violation)?;
        if deleted.rows_affected() == 1 { Ok(()) } else { Err(self.why_no_event(id).await) }
    }

    /// Why a statement with a precondition found no row.
    async fn why_no_event(&self, id: i64) -> StoreError {
        self.event(id).await.map_or_else(|error| error, |_| StoreError::Stale)
    }
}
