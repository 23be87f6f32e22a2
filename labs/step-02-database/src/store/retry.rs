//! Doing a transaction again when Postgres asks for it.

use super::StoreError;

/// Runs `work` until it no longer fails because of contention, but not forever.
pub async fn retrying<T, Work, Attempt>(work: Work) -> Result<T, StoreError>
where
    Work: Fn() -> Attempt,
    Attempt: Future<Output = Result<T, StoreError>>,
{
    // TODO(step-02.8): `StoreError::Contended` asks for another try, soon, but not at once, and not forever. Each call
    // of `work` is one try. (error.rs says which Postgres errors are `Contended`.)
    work().await
}
