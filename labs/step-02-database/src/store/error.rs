//! Why the store refuses or fails, as the rest of the program needs to know it.

/// Why something was not done. Nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no event of this id.
    #[error("no such event")]
    UnknownEvent,
    /// There is no customer of this id.
    #[error("no such customer")]
    UnknownCustomer,
    /// There is no order of this id.
    #[error("no such order")]
    UnknownOrder,
    /// Another customer has this address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The event has fewer seats left than are wanted.
    #[error("not enough seats left")]
    SoldOut,
    /// The customer has less credit than is wanted.
    #[error("not enough credit")]
    InsufficientBalance,
    /// The order was cancelled before.
    #[error("the order is cancelled already")]
    AlreadyCancelled,
    /// The `after` of a list is none that we gave out.
    #[error("after is not a cursor of this list")]
    UnknownCursor,
    /// A neighbour's transaction was in the way. Once more may help.
    #[error("too much traffic on the same rows")]
    Contended(#[source] sqlx::Error),
    /// The database cannot be reached.
    #[error("the database is out of reach")]
    Unavailable(#[source] sqlx::Error),
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The task of the README, by its number, that this needs is still to be done.
    #[error("not written yet: task {0} of the README")]
    NotWritten(u8),
    /// Anything else: a mistake of ours.
    #[error("the database refused")]
    Unexpected(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // TODO(step-02.8): which SQLSTATE codes are `Contended`? `error.as_database_error()` has a `code()`.
        // TODO(step-02.9): which errors are `Unavailable`? Look at the variants of `sqlx::Error`, and at the codes with
        // which Postgres announces a shutdown.
        Self::Unexpected(error)
    }
}
