//! Events: as clients see them, as they are made, and as they are changed.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::FromRow;

/// Something that seats are sold for.
#[derive(Debug, Clone, Serialize, JsonSchema, FromRow)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// Its name.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[^\x00]*[^\s\x00][^\x00]*$"))]
    pub title: String,
    /// What it is about, if anybody said so.
    #[schemars(length(max = 2000), regex(pattern = r"^[^\x00]*$"))]
    pub description: Option<String>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are.
    #[schemars(range(min = 1, max = 100_000))]
    pub seats: i32,
    /// How many of them are taken.
    #[schemars(range(min = 0))]
    pub seats_sold: i32,
    /// What one seat costs.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub price_cents: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Counts its changes. Clients see it as the entity tag only.
    #[serde(skip)]
    pub version: i64,
}

/// An event to be made: only what a client may say. The rest is ours.
#[derive(Debug, Clone, JsonSchema)]
pub struct NewEvent {
    /// Its name.
    #[schemars(length(min = 1, max = 200), regex(pattern = r"^[^\x00]*[^\s\x00][^\x00]*$"))]
    pub title: String,
    /// What it is about.
    #[schemars(length(max = 2000), regex(pattern = r"^[^\x00]*$"))]
    pub description: Option<String>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are.
    #[schemars(range(min = 1, max = 100_000))]
    pub seats: i32,
    /// What one seat costs.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub price_cents: i64,
}

/// A change of an event. `None` leaves a field as it is; `description` may also be emptied, which is the inner `None`.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(description = "A change of an event: what is absent stays as it is.")]
pub struct EventPatch {
    /// Its name.
    #[schemars(with = "String", length(min = 1, max = 200), regex(pattern = r"^[^\x00]*[^\s\x00][^\x00]*$"), default)]
    pub title: Option<String>,
    /// What it is about.
    #[schemars(with = "Option<String>", length(max = 2000), regex(pattern = r"^[^\x00]*$"))]
    pub description: Option<Option<String>>,
    /// When it begins.
    #[schemars(with = "DateTime<Utc>", default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// How many seats there are. Never fewer than are sold.
    #[schemars(with = "i32", range(min = 1, max = 100_000), default)]
    pub seats: Option<i32>,
    /// What one seat costs.
    #[schemars(with = "i64", range(min = 0, max = 10_000_000), default)]
    pub price_cents: Option<i64>,
}
