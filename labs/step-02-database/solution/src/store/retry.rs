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
