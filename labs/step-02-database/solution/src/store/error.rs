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
    /// Anything else: a mistake of ours.
    #[error("the database refused")]
    Unexpected(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(refusal) => match refusal.code() {
                Some(code) if is_contention(&code) => Self::Contended(error),
                Some(code) if is_outage(&code) => Self::Unavailable(error),
                _ => Self::Unexpected(error),
            },
            _ => Self::Unexpected(error),
        }
    }
}

/// serialization_failure and deadlock_detected: Postgres undid our transaction and asks for it again.
fn is_contention(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}

/// Connection exceptions (class 08), too many connections, a query cancelled by the time-out, and the ways in
/// which a server says that it goes down or comes up (57P01 to 57P05).
fn is_outage(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || matches!(code, "53300" | "57014")
}
