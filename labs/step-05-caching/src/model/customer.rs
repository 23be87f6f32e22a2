//! Customers.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// A customer as they see themselves.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow)]
pub struct Customer {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub name: String,
    /// How much less they pay, in percent.
    pub discount_percent: i32,
}
