//! Databases made ahead of time, so that no check waits for one.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::server::{Database, Server};
use lab_check::CheckResult;

/// How many are made at once. Copying files keeps a core busy, and two are what small machines have.
const MAKERS: usize = 2;
/// How many wait, beside the one that each maker holds out.
const WAITING: usize = 2;

/// The databases that wait for a check.
#[derive(Debug)]
pub(super) struct DatabasePool {
    ready: Mutex<mpsc::Receiver<CheckResult<Database>>>,
    makers: Mutex<JoinSet<()>>,
}

impl DatabasePool {
    /// Begins to make them.
    pub fn start(server: &Arc<Server>) -> Self {
        let (sender, ready) = mpsc::channel(WAITING);
        let mut makers = JoinSet::new();
        for _ in 0..MAKERS {
            makers.spawn(make(Arc::clone(server), sender.clone()));
        }
        Self { ready: Mutex::new(ready), makers: Mutex::new(makers) }
    }

    /// The next, as soon as there is one; nothing once they are closed.
    pub async fn take(&self) -> Option<CheckResult<Database>> {
        self.ready.lock().await.recv().await
    }

    /// Stops making them. A statement under way is waited for: Postgres would finish it after we had looked.
    pub async fn close(&self) {
        let mut makers = self.makers.lock().await;
        let mut ready = self.ready.lock().await;
        ready.close();
        while makers.join_next().await.is_some() {}
        while ready.recv().await.is_some() {}
    }

    /// Stops making them at once, where nothing can be made any more.
    pub async fn abandon(&self) {
        self.makers.lock().await.shutdown().await;
        self.ready.lock().await.close();
    }
}

async fn make(server: Arc<Server>, sender: mpsc::Sender<CheckResult<Database>>) {
    while let Ok(place) = sender.reserve().await {
        place.send(server.make().await);
    }
}
