//! Events, read through the cache: which copies there are, when they are made, and when they are cleared.

use uuid::Uuid;

use crate::cache::{Cache, Key};
use crate::model::{Event, Listing, NewEvent};
use crate::store::{Store, StoreError, Written};

/// Events. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Store,
    cache: Cache,
}

impl Catalog {
    /// The events of `store`, behind `cache`.
    pub fn new(store: Store, cache: Cache) -> Self {
        Self { store, cache }
    }

    /// An event, if there is one of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn event(&self, id: Uuid) -> Result<Option<Event>, StoreError> {
        self.cache.fetch(&event_key(id), || self.store.event(id)).await
    }

    /// One list of events.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list(&self, listing: &Listing) -> Result<Vec<Event>, StoreError> {
        // TODO(step-05.1): read lists through the cache, too. What belongs in their keys?
        self.store.list(listing).await
    }

    /// The events of these ids, in their order. Ids that nobody has are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn events(&self, ids: &[Uuid]) -> Result<Vec<Event>, StoreError> {
        // TODO(step-05.4): ask Redis once for all of them, and Postgres once for those that have no copy.
        let mut events = Vec::new();
        for id in ids {
            events.extend(self.event(*id).await?);
        }
        Ok(events)
    }

    /// Announces an event, or changes the one that has this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put(&self, id: Uuid, new: &NewEvent) -> Result<Written, StoreError> {
        // TODO(step-05.2): clear the copies that are wrong now. Before the row is written, or after?
        self.store.put_event(id, new).await
    }

    /// Removes an event; says whether there was one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete(&self, id: Uuid) -> Result<bool, StoreError> {
        // TODO(step-05.2): here, too.
        self.store.delete_event(id).await
    }
}

fn event_key(id: Uuid) -> Key {
    Key::new(format!("event:{id}"))
}
