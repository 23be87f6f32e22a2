//! One Redis that a run uses, with the databases that the run claims on it. A run has more than one only where one had to be
//! ended.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::server::{Server, User};
use super::watch::patiently;
use lab_check::CheckResult;

/// One Redis.
#[derive(Debug)]
pub(super) struct Instance {
    pub server: Server,
    /// The run's databases that no check has.
    free: Mutex<Vec<i64>>,
    /// Tells that one has become free.
    freed: Notify,
}

impl Instance {
    pub async fn connect(url: &str, run: &str) -> CheckResult<Self> {
        let server = Server::connect(url, run).await?;
        Ok(Self { server, free: Mutex::default(), freed: Notify::new() })
    }

    /// A database of the run's; waits, where all are in use.
    pub async fn database(&self) -> redis::RedisResult<i64> {
        loop {
            let freed = self.freed.notified();
            let free = self.lock().pop();
            if let Some(database) = free {
                return Ok(database);
            }
            if let Some(database) = patiently(|| self.server.claim()).await? {
                return Ok(database);
            }
            // Another run may give one back too, which nobody tells us.
            let _ = timeout(Duration::from_millis(200), freed).await;
        }
    }

    /// Empties what a check had, for the next.
    pub async fn clean(&self, user: &User, database: i64) {
        // The user first: it must not write into the next check's database.
        let removed = patiently(|| self.server.remove_user(&user.name)).await;
        if removed.is_ok() && patiently(|| self.server.empty(database)).await.is_ok() {
            self.lock().push(database);
            self.freed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
