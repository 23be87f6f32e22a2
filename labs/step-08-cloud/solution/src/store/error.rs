//! Why the store fails, as the rest of the program needs to know it.

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or gives up, or is no longer the primary. It may have done what it was asked
    /// before, and not have been able to say so.
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

/// Whether it is the connection that failed and not the statement: no connection, connection exceptions (class 08), too
/// many connections, the ways in which a server says that it goes down or comes up (57P01 to 57P05), and that it may
/// only be read (25006), which is what a standby says.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || code == "53300" || code == "25006"
        }),
        _ => false,
    }
}
