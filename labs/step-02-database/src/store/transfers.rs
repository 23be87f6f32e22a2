//! Transfers: what one customer loses, another gains.

use super::{Store, StoreError};
use crate::model::{NewTransfer, Transfer};

impl Store {
    /// Sends credit from one customer to another.
    ///
    /// # Errors
    /// One of the two is unknown, the sender has too little, or the database failed.
    pub async fn send_credit(&self, new: NewTransfer) -> Result<Transfer, StoreError> {
        self.run(|| self.try_send(new)).await
    }

    async fn try_send(&self, _new: NewTransfer) -> Result<Transfer, StoreError> {
        // TODO(step-02.7): use one transaction. What happens when A sends to B while B sends to A?
        Err(StoreError::NotWritten(7))
    }
}
