//! What a client asks of the list of events.

use serde::Deserialize;

use super::{is_text, require};

/// A list of events.
#[derive(Debug, Clone, Deserialize)]
pub struct Listing {
    /// Only events of this kind.
    pub category: Option<String>,
    /// The order.
    #[serde(default)]
    pub sort: Sort,
    /// The most events, 1 to 50.
    #[serde(default = "Listing::default_limit")]
    pub limit: u16,
}

/// The orders of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Sort {
    /// The soonest first.
    #[default]
    #[serde(rename = "starts_at")]
    StartsAt,
    /// The cheapest first.
    #[serde(rename = "price_cents")]
    Price,
}

impl Listing {
    fn default_limit() -> u16 {
        20
    }

    /// Looks whether such a list can be asked for.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require((1..=50).contains(&self.limit), "limit is 1 to 50")?;
        let category = self.category.as_deref();
        require(category.is_none_or(|category| is_text(category, 40)), "category has 1 to 40 characters")
    }
}
