//! Why the store refuses or fails, as the rest of the program needs to know it.

/// Why something was not done. Nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is nothing of this id.
    #[error("there is nothing of this id")]
    NotFound,
    /// The order names an event that does not exist.
    #[error("there is no such event")]
    UnknownEvent,
    /// The event has fewer seats left than are wanted.
    #[error("the event has not that many seats left")]
    SoldOut,
    /// An event cannot go while somebody has seats of it.
    #[error("the event has orders")]
    HasOrders,
    /// The `after` of a list is none that we gave out.
    #[error("after is no cursor of this list")]
    UnknownCursor,
    /// The database failed, or we made a mistake.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// What a violated constraint means to a client. Whatever was not foreseen is a fault of the server.
    pub(super) fn from_violation(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|refusal| refusal.constraint()) {
            Some("orders_event_known") => Self::HasOrders,
            // TODO(step-03.3): a change to fewer seats than are sold violates `events_not_oversold`.
            _ => Self::Database(error),
        }
    }
}
