//! Events.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{is_name, require};

/// An event as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub title: String,
    /// How many seats there are.
    pub seats: i32,
    /// How many of them can still be had.
    pub seats_left: i32,
}

/// An event to be made.
#[derive(Debug, Clone, Deserialize)]
pub struct NewEvent {
    /// Its name, 1 to 200 characters.
    pub title: String,
    /// How many seats there are, 1 to 100,000.
    pub seats: i32,
}

impl NewEvent {
    /// Looks whether an event can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(is_name(&self.title), "title has 1 to 200 characters, none of them NUL")?;
        require((1..=100_000).contains(&self.seats), "seats is 1 to 100000")
    }
}
