//! Doing a transaction again when Postgres asks for it.

use super::StoreError;

/// Runs `work` until it does not fail for contention, but not for ever.
pub async fn retrying<T, Work, Attempt>(work: Work) -> Result<T, StoreError>
where
    Work: Fn() -> Attempt,
    Attempt: Future<Output = Result<T, StoreError>>,
{
    // TODO(step-02.8): `StoreError::Contended` asks for another try, soon, but not at once, and not for ever. Each
    // call of `work` is one try. (Which errors of Postgres are `Contended` is said in error.rs.)
    work().await
}
