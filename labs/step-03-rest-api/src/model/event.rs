//! Events: as clients see them, and as they are made.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// Something that seats are sold for.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub title: String,
    /// What it is about, if anybody said so.
    pub description: Option<String>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are.
    pub seats: i32,
    /// How many of them are taken.
    pub seats_sold: i32,
    /// What one seat costs.
    pub price_cents: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An event to be made: only what a client may say. The rest is ours.
#[derive(Debug, Clone, Deserialize)]
pub struct NewEvent {
    /// Its name.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are.
    pub seats: i32,
    /// What one seat costs.
    pub price_cents: i64,
}

// TODO(step-03.3): a change of an event. Which type can tell a member that is absent from one that is null?
