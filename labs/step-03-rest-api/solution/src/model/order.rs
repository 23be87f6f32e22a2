//! Orders: as clients see them, as they are made, and as they are changed.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// Seats of an event that somebody has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, FromRow)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The event it has seats for.
    pub event_id: i64,
    /// Whose it is.
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^\s@]+@\S+$"))]
    pub email: String,
    /// How many seats it has.
    #[schemars(range(min = 1, max = 10))]
    pub seats: i32,
    /// What its owner wants us to know.
    #[schemars(length(max = 500), regex(pattern = r"^[^\x00]*$"))]
    pub note: Option<String>,
    /// What all seats cost when they were ordered.
    #[schemars(range(min = 0))]
    pub total_cents: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Counts its changes. Clients see it as the entity tag only.
    #[serde(skip, default = "Order::first_version")]
    pub version: i64,
}

impl Order {
    /// The version of an order that has just been made: that is how it is remembered under an idempotency key.
    fn first_version() -> i64 {
        1
    }
}

/// An order to be made: only what a client may say. The rest is ours.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NewOrder {
    /// The event it has seats for.
    pub event_id: i64,
    /// Whose it is.
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^\s@]+@\S+$"))]
    pub email: String,
    /// How many seats it has.
    #[schemars(range(min = 1, max = 10))]
    pub seats: i32,
    /// What its owner wants us to know.
    #[schemars(length(max = 500), regex(pattern = r"^[^\x00]*$"))]
    pub note: Option<String>,
}

/// A change of an order. `None` leaves a field as it is; `note` may also be emptied, which is the inner `None`.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(description = "A change of an order: what is absent stays as it is.")]
pub struct OrderPatch {
    /// Whose it is.
    #[schemars(with = "String", length(min = 3, max = 254), regex(pattern = r"^[^\s@]+@\S+$"), default)]
    pub email: Option<String>,
    /// What its owner wants us to know.
    #[schemars(with = "Option<String>", length(max = 500), regex(pattern = r"^[^\x00]*$"))]
    pub note: Option<Option<String>>,
}
