//! The list of events: search, order and pages.

use super::{Store, StoreError};
use crate::model::{Event, Listing, Page};

impl Store {
    /// Reads one page of the list.
    ///
    /// # Errors
    /// `after` is no cursor of this list, or the database failed.
    pub async fn list_events(&self, listing: &Listing) -> Result<Page, StoreError> {
        // TODO(step-02.4): read `listing.after`, if there is one; what does a page need to know about the previous one,
        // so that nothing is skipped or shown twice? An invalid cursor is `StoreError::UnknownCursor`.
        let items = self.run(|| self.select_page(listing)).await?;
        // TODO(step-02.4): `next`, if another page follows.
        Ok(Page { items, next: None })
    }

    async fn select_page(&self, _listing: &Listing) -> Result<Vec<Event>, StoreError> {
        // TODO(step-02.4): `sqlx::QueryBuilder` assembles a query from parts: `push` for your own SQL, `push_bind` for
        // everything that a client sent.
        Err(StoreError::NotWritten(4))
    }
}
