//! Transfers of credit.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{MOST_CENTS, require};

/// A transfer as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Transfer {
    /// Its number.
    pub id: i64,
    /// Who sent.
    pub from_customer_id: i64,
    /// Who received.
    pub to_customer_id: i64,
    /// How much.
    pub amount_cents: i64,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A transfer to be made.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct NewTransfer {
    /// Who sends.
    pub from_customer_id: i64,
    /// Who receives.
    pub to_customer_id: i64,
    /// How much, 1 or more.
    pub amount_cents: i64,
}

impl NewTransfer {
    /// Looks whether a transfer can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(self.from_customer_id != self.to_customer_id, "credit goes to somebody else")?;
        require((1..=MOST_CENTS).contains(&self.amount_cents), "amount_cents is 1 or more")
    }
}
