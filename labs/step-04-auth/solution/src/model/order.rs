//! Orders.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::require;

/// An order as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// What it is for.
    pub event_id: i64,
    /// Whose it is.
    pub customer_id: i64,
    /// How many seats it takes.
    pub seats: i32,
    /// What it costs.
    pub total_cents: i64,
    /// Who sells the event: they may look at it, too.
    #[serde(skip)]
    pub organizer_id: i64,
}

/// An order to be placed. It has no customer: that is whoever places it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct NewOrder {
    /// How many seats it takes.
    pub seats: i32,
}

impl NewOrder {
    /// Looks whether an order can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(self.seats >= 1, "seats is 1 or more")
    }
}
