//! Customers.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{MOST_CENTS, require, storable};

/// A customer as clients see them.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Customer {
    /// Their number.
    pub id: i64,
    /// Their address.
    pub email: String,
    /// Their credit.
    pub balance_cents: i64,
}

/// A customer to be made.
#[derive(Debug, Clone, Deserialize)]
pub struct NewCustomer {
    /// Their address. No two customers have the same, whatever its case.
    pub email: String,
    /// The credit they begin with.
    #[serde(default)]
    pub balance_cents: i64,
}

impl NewCustomer {
    /// Looks whether a customer can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        let at = self.email.find('@');
        require(at.is_some_and(|at| at > 0 && at + 1 < self.email.len()), "email is an address")?;
        require(self.email.len() <= 254 && storable(&self.email), "email is an address")?;
        require((0..=MOST_CENTS).contains(&self.balance_cents), "balance_cents is 0 or more")
    }
}
