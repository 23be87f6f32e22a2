//! Events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Customer, is_text, require};

/// An event as everybody sees it.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub title: String,
    /// Its kind, such as `jazz`.
    pub category: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are.
    pub seats: i32,
    /// What one seat costs.
    pub price_cents: i64,
}

impl Event {
    /// The same event at the price that `customer` pays; rounded up, as half a cent is nobody's.
    #[must_use]
    pub fn priced_for(self, customer: Option<&Customer>) -> Self {
        let percent = 100 - customer.map_or(0, |customer| i64::from(customer.discount_percent));
        Self { price_cents: (self.price_cents * percent + 99) / 100, ..self }
    }
}

/// An event to be announced or changed.
#[derive(Debug, Clone, Deserialize)]
pub struct NewEvent {
    /// Its name, 1 to 200 characters.
    pub title: String,
    /// Its kind, 1 to 40 characters.
    pub category: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// How many seats there are, 1 to 100,000.
    pub seats: i32,
    /// What one seat costs, 0 to 10,000,000.
    pub price_cents: i64,
}

impl NewEvent {
    /// Looks whether an event can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(is_text(&self.title, 200), "title has 1 to 200 characters")?;
        require(is_text(&self.category, 40), "category has 1 to 40 characters")?;
        require((1..=100_000).contains(&self.seats), "seats is 1 to 100000")?;
        require((0..=10_000_000).contains(&self.price_cents), "price_cents is 0 to 10000000")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(cents: i64, discount_percent: Option<i32>) -> i64 {
        let event = Event {
            id: Uuid::nil(),
            title: "Jazz".into(),
            category: "jazz".into(),
            starts_at: DateTime::UNIX_EPOCH,
            seats: 1,
            price_cents: cents,
        };
        let customer =
            discount_percent.map(|percent| Customer { id: 1, name: "Ada".into(), discount_percent: percent });
        event.priced_for(customer.as_ref()).price_cents
    }

    #[test]
    fn a_discount_is_taken_off_and_half_a_cent_is_paid() {
        assert_eq!(price(4_500, None), 4_500);
        assert_eq!(price(4_500, Some(20)), 3_600);
        assert_eq!((price(4_500, Some(0)), price(4_500, Some(100))), (4_500, 0));
        assert_eq!(price(99, Some(50)), 50);
    }
}
