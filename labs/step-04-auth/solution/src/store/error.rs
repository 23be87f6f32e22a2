//! Why the store refuses or fails, as the rest of the program needs to know it.

/// Why something was not done. Nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is nothing of this id.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// Another account has this address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The event has fewer seats left than are wanted.
    #[error("not enough seats left")]
    SoldOut,
    /// An event that was sold cannot vanish.
    #[error("there are orders for this event")]
    HasOrders,
    /// More seats are sold than there would be.
    #[error("more seats than that are sold")]
    SeatsSold,
    /// The database cannot be reached.
    #[error("the database is out of reach")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else: a mistake of ours.
    #[error("the database refused")]
    Unexpected(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(refusal) = &error {
            return match refusal.constraint() {
                Some("users_email_key") => Self::EmailTaken,
                Some("orders_event_id_fkey") => Self::HasOrders,
                Some("events_not_oversold") => Self::SeatsSold,
                _ => Self::Unexpected(error),
            };
        }
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                Self::Unavailable(error)
            }
            _ => Self::Unexpected(error),
        }
    }
}
