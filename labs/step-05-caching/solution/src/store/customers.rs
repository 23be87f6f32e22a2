//! Reading customers.

use super::{Store, StoreError};
use crate::model::Customer;

impl Store {
    /// Whose card this is.
    ///
    /// # Errors
    /// The database failed.
    pub async fn card_owner(&self, card: &str) -> Result<Option<Customer>, StoreError> {
        let owner = sqlx::query_as("SELECT id, name, discount_percent FROM customers WHERE card = $1")
            .bind(card)
            .fetch_optional(&self.pool)
            .await?;
        Ok(owner)
    }
}
