//! Why the store refuses or fails, as the rest of the program needs to know it.

/// Why something was not done. Nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no event of this id.
    #[error("no such event")]
    UnknownEvent,
    /// There is no order of this id.
    #[error("no such order")]
    UnknownOrder,
    /// The event has fewer seats left than are wanted.
    #[error("not enough seats left")]
    SoldOut,
    /// The database cannot be reached, or gives up.
    #[error("the database is out of reach")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else: a mistake of ours.
    #[error("the database refused")]
    Unexpected(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) { Self::Unavailable(error) } else { Self::Unexpected(error) }
    }
}

/// Whether a migration may succeed when it is tried again: the database was away, or another held the table for longer
/// than `lock_timeout` (55P03).
pub fn passes(error: &sqlx::Error) -> bool {
    is_outage(error) || error.as_database_error().and_then(|refusal| refusal.code()).is_some_and(|code| code == "55P03")
}

/// Whether it is the connection that failed and not the statement: no connection, connection exceptions (class 08),
/// too many connections, and the ways in which a server says that it goes down or comes up (57P01 to 57P05).
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => {
            refusal.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P") || code == "53300")
        }
        _ => false,
    }
}
