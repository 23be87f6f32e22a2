//! Work that is not cut off where its client hangs up.

use tracing::Instrument as _;

/// Does `work` in a task of its own, to its end, and waits for it. axum drops the handler of a client that has hung up,
/// at whichever `await` it stands: between the commit and the clearing of its copies, or between a lease and the copy that
/// others wait for. What it logs still belongs to the request: a new task has no span of its own.
pub async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only the end of the process cancels the task, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}
