//! Doing a transaction again when Postgres asks for it.

use std::time::Duration;

use super::StoreError;

/// More than a real conflict ever needs, and few enough to be over soon.
const ATTEMPTS: u32 = 8;

/// Runs `work` until it does not fail for contention, at most [`ATTEMPTS`] times, with pauses that grow.
pub async fn retrying<T, Work, Attempt>(work: Work) -> Result<T, StoreError>
where
    Work: Fn() -> Attempt,
    Attempt: Future<Output = Result<T, StoreError>>,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Err(StoreError::Contended(_)) if attempt < ATTEMPTS => {
                tracing::info!(attempt, "a transaction gave way to another and is tried again");
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Random, so that two who met do not meet again at once, and longer each time, up to a point.
fn pause(attempt: u32) -> Duration {
    let longest = 2_u64 << attempt.min(5);
    Duration::from_millis(rand::random_range(1..=longest))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Fails for `error` as long as `failures` says, and counts how often it was tried.
    async fn tried(failures: u32, error: fn() -> StoreError) -> (Result<(), StoreError>, u32) {
        let attempts = Cell::new(0);
        let work = || {
            attempts.set(attempts.get() + 1);
            std::future::ready(if attempts.get() <= failures { Err(error()) } else { Ok(()) })
        };
        (retrying(work).await, attempts.get())
    }

    fn contended() -> StoreError {
        StoreError::Contended(sqlx::Error::RowNotFound)
    }

    #[tokio::test]
    async fn contention_is_met_by_trying_again() {
        assert!(matches!(tried(2, contended).await, (Ok(()), 3)));
    }

    #[tokio::test]
    async fn contention_without_an_end_is_told() {
        assert!(matches!(tried(u32::MAX, contended).await, (Err(StoreError::Contended(_)), ATTEMPTS)));
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        assert!(matches!(tried(1, || StoreError::SoldOut).await, (Err(StoreError::SoldOut), 1)));
    }
}
