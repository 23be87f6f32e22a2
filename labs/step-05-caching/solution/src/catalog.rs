//! Events, read through the cache: which copies there are, when they are made, and when they are cleared.

use tracing::instrument;
use uuid::Uuid;

use crate::cache::{Cache, Found, Key};
use crate::model::{Event, Listing, NewEvent, Sort};
use crate::store::{Store, StoreError, Written};

/// All copies of lists belong to one group: a change of any event may change any of them.
const LISTS: &str = "lists";

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

    /// An event, if there is one of this id. That there is none is worth a copy, too.
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
        let Some(generation) = self.cache.generation(LISTS).await else { return self.store.list(listing).await };
        self.cache.fetch(&list_key(&generation, listing), || self.store.list(listing)).await
    }

    /// The events of these ids, in their order. Ids that nobody has are left out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn events(&self, ids: &[Uuid]) -> Result<Vec<Event>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| event_key(*id)).collect();
        let found: Vec<Found<Option<Event>>> = self.cache.search_many(&keys).await;
        let missing: Vec<_> =
            ids.iter().zip(&found).filter(|(_, found)| matches!(found, Found::Miss(_))).map(|(id, _)| *id).collect();
        let loaded = if missing.is_empty() { Vec::new() } else { self.store.events(&missing).await? };
        let mut copies = Vec::new();
        let mut events = Vec::new();
        for ((id, key), found) in ids.iter().zip(&keys).zip(found) {
            events.push(match found {
                Found::Hit(event) => event,
                Found::Miss(lease) => {
                    let event = loaded.iter().find(|event| event.id == *id).cloned();
                    copies.extend(lease.map(|lease| (key, lease, event.clone())));
                    event
                }
            });
        }
        self.cache.fill_many(&copies).await;
        Ok(events.into_iter().flatten().collect())
    }

    /// Announces an event, or changes the one that has this id.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, new))]
    pub async fn put(&self, id: Uuid, new: &NewEvent) -> Result<Written, StoreError> {
        let written = self.store.put_event(id, new).await?;
        self.changed(id).await;
        Ok(written)
    }

    /// Removes an event; says whether there was one.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn delete(&self, id: Uuid) -> Result<bool, StoreError> {
        let existed = self.store.delete_event(id).await?;
        self.changed(id).await;
        Ok(existed)
    }

    /// To be called when a change is committed.
    async fn changed(&self, id: Uuid) {
        let keys = [event_key(id)];
        tokio::join!(self.cache.forget_all(&keys), self.cache.forget_group(LISTS));
    }
}

fn event_key(id: Uuid) -> Key {
    Key::new(format!("event:{id}"))
}

/// Everything that the list depends on; the text of a client's last, where it can imitate nothing else.
fn list_key(generation: &str, listing: &Listing) -> Key {
    let sort = match listing.sort {
        Sort::StartsAt => "starts_at",
        Sort::Price => "price_cents",
    };
    let category = listing.category.as_deref().map(|category| format!("={category}")).unwrap_or_default();
    Key::new(format!("list:{generation}:{sort}:{}:{category}", listing.limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(category: Option<&str>, sort: Sort, limit: u16) -> Key {
        list_key("7f", &Listing { category: category.map(str::to_owned), sort, limit })
    }

    #[test]
    fn two_lists_never_share_a_key() {
        let mut keys = Vec::new();
        for category in
            [None, Some(""), Some("="), Some("all"), Some("jazz"), Some("20:"), Some("price_cents:20:=jazz")]
        {
            for (sort, limit) in [(Sort::StartsAt, 20), (Sort::Price, 20), (Sort::StartsAt, 2)] {
                let key = key(category, sort, limit);
                assert!(!keys.contains(&key), "{key:?}");
                keys.push(key);
            }
        }
    }

    #[test]
    fn a_list_of_another_generation_has_another_key() {
        let listing = Listing { category: None, sort: Sort::Price, limit: 20 };
        assert_ne!(list_key("7f", &listing), list_key("80", &listing));
    }
}
