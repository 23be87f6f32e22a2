//! Orders: as clients see them, and as they are made.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// Seats of an event that somebody has.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Order {
    /// Its number.
    pub id: i64,
    /// The event it has seats for.
    pub event_id: i64,
    /// Whose it is.
    pub email: String,
    /// How many seats it has.
    pub seats: i32,
    /// What its owner wants us to know.
    pub note: Option<String>,
    /// What all seats cost when they were ordered.
    pub total_cents: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An order to be made: only what a client may say. The rest is ours.
#[derive(Debug, Clone, Deserialize)]
pub struct NewOrder {
    /// The event it has seats for.
    pub event_id: i64,
    /// Whose it is.
    pub email: String,
    /// How many seats it has.
    pub seats: i32,
    /// What its owner wants us to know.
    pub note: Option<String>,
}

// TODO(step-03.3): a change of an order: its `email` and its `note`.
