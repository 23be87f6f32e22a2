//! Orders.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{is_name, require};

/// An order as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The event it has seats for.
    pub event_id: i64,
    /// Who pays.
    pub buyer: String,
    /// How many seats it has.
    pub seats: i32,
}

/// An order to be made.
#[derive(Debug, Clone, Deserialize)]
pub struct NewOrder {
    /// Who pays, 1 to 200 characters.
    pub buyer: String,
    /// How many seats, 1 or more.
    pub seats: i32,
}

impl NewOrder {
    /// Looks whether an order can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(is_name(&self.buyer), "buyer has 1 to 200 characters, none of them NUL")?;
        require(self.seats >= 1, "seats is 1 or more")
    }
}
