//! Events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Items, is_filled, require, storable};

/// An event as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub organizer_id: i64,
    /// Its name.
    pub title: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are.
    pub seats: i32,
    /// How many of them can still be had.
    pub seats_left: i32,
    /// What one seat costs.
    pub price_cents: i64,
}

/// Some events.
pub type EventList = Items<Event>;

/// An event to be made, or what becomes of one. Whose it is, nobody can choose.
#[derive(Debug, Clone, Deserialize)]
pub struct NewEvent {
    /// Its name, 1 to 200 characters.
    pub title: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are, 1 to 100,000.
    pub seats: i32,
    /// What one seat costs, 0 to 10,000,000.
    pub price_cents: i64,
}

impl NewEvent {
    /// Looks whether an event can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(is_filled(&self.title, 200), "title has 1 to 200 characters")?;
        require((1..=100_000).contains(&self.seats), "seats is 1 to 100000")?;
        require((0..=10_000_000).contains(&self.price_cents), "price_cents is 0 to 10000000")
    }
}

/// Which events are listed, and how.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Listing {
    /// Text that the title contains.
    #[serde(default)]
    pub q: String,
    /// The order.
    #[serde(default)]
    pub sort: Sort,
}

impl Listing {
    /// Looks whether there can be such a list.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(storable(&self.q), "q holds no NUL character")
    }
}

/// The orders that there are. What is none of them is no order, and never reaches the database.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The next one first.
    #[default]
    StartsAt,
    /// By name.
    Title,
    /// The cheapest first.
    PriceCents,
}
