//! Orders.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::require;

/// An order as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The event it has seats for.
    pub event_id: i64,
    /// Who pays.
    pub customer_id: i64,
    /// How many seats it has.
    pub seats: i32,
    /// What was paid for all of them.
    pub total_cents: i64,
    /// `confirmed` or `cancelled`.
    pub status: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An order to be made.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct NewOrder {
    /// Who pays.
    pub customer_id: i64,
    /// How many seats, 1 or more.
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
