//! Orders: seats and credit change hands together, or not at all.

use super::{Store, StoreError};
use crate::model::{NewOrder, Order};

impl Store {
    /// Takes seats of an event and the credit that they cost.
    ///
    /// # Errors
    /// The event or the customer is unknown, too few seats or too little credit are left, or the database failed.
    pub async fn place_order(&self, event_id: i64, new: NewOrder) -> Result<Order, StoreError> {
        self.run(|| self.try_place(event_id, new)).await
    }

    async fn try_place(&self, _event_id: i64, _new: NewOrder) -> Result<Order, StoreError> {
        // TODO(step-02.6): use one transaction (`self.pool.begin()`), and run every statement on it. Between reading
        // how many seats are left and taking them, somebody else may have taken them.
        Err(StoreError::NotWritten(6))
    }

    /// Gives the seats and the credit of an order back.
    ///
    /// # Errors
    /// The order is unknown or cancelled already, or the database failed.
    pub async fn cancel_order(&self, id: i64) -> Result<Order, StoreError> {
        self.run(|| self.try_cancel(id)).await
    }

    async fn try_cancel(&self, _id: i64) -> Result<Order, StoreError> {
        // TODO(step-02.6): of many simultaneous cancellations of one order, only one returns the seats.
        Err(StoreError::NotWritten(6))
    }
}
