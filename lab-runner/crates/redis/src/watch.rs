//! Notices a script that does not end, and kills it: while one runs, Redis serves nobody.
//!
//! After its `busy-reply-threshold` Redis answers everybody with BUSY, and its administrator may kill the script, unless it
//! has written (Redis documentation, "Redis programmability", "Script kill"). Then only a restart helps, which would take
//! everybody's data, and so the run's Redis counts as failed.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a command of the grader's is tried again while a script runs. Redis's usual threshold is 5 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// Looks after one Redis while it lives.
#[derive(Debug)]
pub(super) struct Watch {
    last_busy: Arc<Mutex<Option<Instant>>>,
    task: AbortHandle,
}

impl Watch {
    /// Begins to look.
    pub fn start(admin: MultiplexedConnection) -> Self {
        let last_busy = Arc::default();
        let task = tokio::spawn(look(admin, Arc::clone(&last_busy))).abort_handle();
        Self { last_busy, task }
    }

    /// Whether a script held everybody up after `moment`.
    pub fn was_busy_since(&self, moment: Instant) -> bool {
        self.last_busy.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|last| last > moment)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look(mut admin: MultiplexedConnection, last_busy: Arc<Mutex<Option<Instant>>>) {
    loop {
        let asked: RedisResult<()> = redis::cmd("PING").exec_async(&mut admin).await;
        if asked.is_err_and(|error| is_busy(&error)) {
            *last_busy.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            // One of the two is refused: it is a script or a function that runs.
            for kind in ["SCRIPT", "FUNCTION"] {
                let _: RedisResult<()> = redis::cmd(kind).arg("KILL").exec_async(&mut admin).await;
            }
            // What it left undone is answered at once, and the next look is to see whether it is over.
            continue_soon().await;
        } else {
            sleep(PAUSE).await;
        }
    }
}

async fn continue_soon() {
    sleep(PAUSE / 10).await;
}

/// Whether Redis refuses because a script runs.
pub(super) fn is_busy(error: &RedisError) -> bool {
    error.code() == Some("BUSY")
}

/// Does `work`, again and again while a script keeps Redis from it.
pub(super) async fn patiently<T, F: Future<Output = RedisResult<T>>>(work: impl Fn() -> F) -> RedisResult<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match work().await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => continue_soon().await,
            done => return done,
        }
    }
}
