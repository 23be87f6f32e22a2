//! How much memory a program holds, looked at again and again while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lab_sandbox::Sandbox;
use tokio::task::AbortHandle;

/// How far apart two looks are: the system keeps the most that each process has held, so that only what comes right before
/// the end is missed.
const PAUSE: Duration = Duration::from_millis(10);

/// The most memory that a session's processes were seen to hold. Dropping it ends the looking.
#[derive(Debug)]
pub(super) struct MemoryWatch {
    peak: Arc<AtomicU64>,
    task: AbortHandle,
}

impl MemoryWatch {
    /// Looks at what was started in `sandbox` as `leader`.
    pub fn begin(sandbox: Sandbox, leader: u32) -> Self {
        let peak = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&peak);
        let task = tokio::spawn(async move {
            loop {
                if let Some(session) = sandbox.session_of(leader) {
                    look(session, &seen);
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { peak, task: task.abort_handle() }
    }

    /// The most so far, in bytes.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all hold together now, or what one of them has held by itself, whichever is more.
fn look(leader: u32, seen: &AtomicU64) {
    let processes = lab_process::of_session(leader);
    let now: u64 = processes.iter().map(|process| process.memory).sum();
    let alone = processes.iter().map(|process| process.peak_memory).max().unwrap_or_default();
    seen.fetch_max(now.max(alone), Ordering::Relaxed);
}
