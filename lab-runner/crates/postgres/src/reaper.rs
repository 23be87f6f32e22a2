//! Drops the databases of finished checks while others run. Their roles are dropped at the end of the run.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::server::Server;
use super::sweep;

/// One task that drops one database after the other.
#[derive(Debug)]
pub(super) struct Reaper {
    names: std::sync::Mutex<Option<mpsc::UnboundedSender<String>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Reaper {
    /// Begins with what dead runs left.
    pub fn start(server: &Arc<Server>) -> Self {
        let (names, mut todo) = mpsc::unbounded_channel::<String>();
        let server = Arc::clone(server);
        let task = tokio::spawn(async move {
            // What cannot be dropped now is tried again at the end of this run, or by the next.
            let _ = sweep::remove_dead_runs(&server).await;
            while let Some(name) = todo.recv().await {
                let _ = server.remove_database(&name).await;
            }
        });
        Self { names: std::sync::Mutex::new(Some(names)), task: Mutex::new(Some(task)) }
    }

    pub fn discard(&self, name: &str) {
        let names = self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(names) = names.as_ref() {
            let _ = names.send(name.to_owned());
        }
    }

    /// Waits until everything that was discarded is dropped.
    pub async fn finish(&self) {
        drop(self.names.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }

    /// Stops at once, where nothing can be dropped any more.
    pub async fn abandon(&self) {
        if let Some(task) = self.task.lock().await.take() {
            task.abort();
            let _ = task.await;
        }
    }
}
