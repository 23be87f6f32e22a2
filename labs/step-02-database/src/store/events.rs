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

    async fn insert_event(&self, _new: &NewEvent) -> Result<Event, StoreError> {
        // TODO(step-02.2): `INSERT … RETURNING`, run on `self.pool`. `sqlx::query_as` fills an `Event`, which
        // derives `FromRow`, from columns of the same names; `AS` names a computed one.
        Err(StoreError::NotWritten(2))
    }

    /// Reads an event.
    ///
    /// # Errors
    /// There is none of this id, or the database failed.
    pub async fn event(&self, id: i64) -> Result<Event, StoreError> {
        self.run(|| self.select_event(id)).await
    }

    async fn select_event(&self, _id: i64) -> Result<Event, StoreError> {
        // TODO(step-02.2): `fetch_optional`, and `StoreError::UnknownEvent` if there is none.
        Err(StoreError::NotWritten(2))
    }
}
