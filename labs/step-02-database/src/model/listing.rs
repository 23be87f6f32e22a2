//! What a client asks of the list of events, and what one page of it is.

use serde::{Deserialize, Serialize};

use super::{Event, require, storable};

/// The query string of `GET /events`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listing {
    /// Only events whose title holds this text.
    #[serde(default)]
    pub q: String,
    /// The order.
    #[serde(default)]
    pub sort: Sort,
    /// The most events of one page, 1 to 100.
    #[serde(default = "Listing::default_limit")]
    pub limit: u16,
    /// The `next` of the page before. Only the store knows what it means.
    pub after: Option<String>,
}

/// The orders of the list. Whatever else a client asks for never comes near the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Sort {
    /// The soonest first.
    #[default]
    #[serde(rename = "starts_at")]
    StartsAt,
    /// The latest first.
    #[serde(rename = "-starts_at")]
    StartsAtDescending,
    /// The cheapest first.
    #[serde(rename = "price_cents")]
    Price,
    /// The dearest first.
    #[serde(rename = "-price_cents")]
    PriceDescending,
}

/// One page of the list.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// Its events, in order.
    pub items: Vec<Event>,
    /// What to give as `after` for the page that follows; nothing on the last.
    pub next: Option<String>,
}

impl Listing {
    fn default_limit() -> u16 {
        20
    }

    /// Looks whether such a page can be asked for.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require((1..=100).contains(&self.limit), "limit is 1 to 100")?;
        require(storable(&self.q), "q holds no NUL character")
    }
}
