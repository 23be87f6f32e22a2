//! Making customers.

use super::{Store, StoreError};
use crate::model::{Customer, NewCustomer};

impl Store {
    /// Makes a customer.
    ///
    /// # Errors
    /// The address is already in use, or the database failed.
    pub async fn create_customer(&self, new: &NewCustomer) -> Result<Customer, StoreError> {
        self.run(|| self.insert_customer(new)).await
    }

    async fn insert_customer(&self, _new: &NewCustomer) -> Result<Customer, StoreError> {
        // TODO(step-02.5): only Postgres can say for sure whether an address is in use. How does sqlx report what it
        // said? Return `StoreError::EmailTaken`.
        Err(StoreError::NotWritten(5))
    }
}
