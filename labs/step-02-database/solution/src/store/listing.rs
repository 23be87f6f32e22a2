//! The list of events: search, order and pages.

use sqlx::{Postgres, QueryBuilder};

use super::cursor::{Cursor, Key};
use super::{Store, StoreError};
use crate::model::{Event, Listing, Page, Sort};

impl Store {
    /// Reads one page of the list.
    ///
    /// # Errors
    /// `after` is no cursor of this list, or the database failed.
    pub async fn list_events(&self, listing: &Listing) -> Result<Page, StoreError> {
        let after = listing.after.as_deref().map(|text| Cursor::decode(text, listing.sort)).transpose()?;
        let mut items = self.run(|| self.select_page(listing, after)).await?;
        // One row more than asked for was read: it tells whether there is another page, and is not shown.
        let limit = usize::from(listing.limit);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Cursor::after(last, listing.sort).encode());
        Ok(Page { items, next })
    }

    async fn select_page(&self, listing: &Listing, after: Option<Cursor>) -> Result<Vec<Event>, StoreError> {
        let mut query = page_query(listing, after);
        Ok(query.build_query_as().fetch_all(&self.pool).await?)
    }
}

/// Only words of our own become SQL; everything a client sent is bound.
fn page_query(listing: &Listing, after: Option<Cursor>) -> QueryBuilder<Postgres> {
    let (column, comparison, direction) = match listing.sort {
        Sort::StartsAt => ("starts_at", ">", "ASC"),
        Sort::StartsAtDescending => ("starts_at", "<", "DESC"),
        Sort::Price => ("price_cents", ">", "ASC"),
        Sort::PriceDescending => ("price_cents", "<", "DESC"),
    };
    let mut query = QueryBuilder::new(
        "SELECT id, title, starts_at, seats, seats - seats_sold AS seats_left, price_cents FROM events WHERE true",
    );
    if !listing.q.is_empty() {
        query.push(" AND title ILIKE ").push_bind(pattern(&listing.q));
    }
    if let Some(after) = after {
        // Comparing rows, not columns, lets the index on both columns go straight to the place.
        query.push(format_args!(" AND ({column}, id) {comparison} ("));
        match after.key {
            Key::StartsAt(time) => query.push_bind(time),
            Key::Price(cents) => query.push_bind(cents),
        };
        query.push(", ").push_bind(after.id).push(")");
    }
    query.push(format_args!(" ORDER BY {column} {direction}, id {direction} LIMIT "));
    query.push_bind(i64::from(listing.limit) + 1);
    query
}

/// A pattern for `ILIKE` that finds `text` anywhere, each of its characters standing for itself.
fn pattern(text: &str) -> String {
    let literal = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{literal}%")
}
