//! When to end: SIGTERM from whoever runs us, or Ctrl-C at a terminal. Everybody who has to know holds a `Stop`.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How far the end has come. The order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Working,
    Stopping,
    Cutting,
}

/// Tells when to begin nothing new, and when to give up what is in hand. Clones share it.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Phase>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Working))
    }
}

impl Stop {
    /// Nothing new from now on.
    pub fn begin(&self) {
        self.enter(Phase::Stopping);
    }

    /// What is still in hand is given up.
    pub fn cut(&self) {
        self.enter(Phase::Cutting);
    }

    /// Whether nothing new shall begin.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow() >= Phase::Stopping
    }

    /// Done when nothing new shall begin.
    pub async fn begun(&self) {
        self.reached(Phase::Stopping).await;
    }

    /// Done when what is in hand shall be given up.
    pub async fn cutting(&self) {
        self.reached(Phase::Cutting).await;
    }

    fn enter(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let later = *now < phase;
            *now = (*now).max(phase);
            later
        });
    }

    async fn reached(&self, phase: Phase) {
        // The sender is ours, so that it cannot be gone.
        let _ = self.0.subscribe().wait_for(|now| *now >= phase).await;
    }
}

/// Listens for the signals from now on, and gives a future that is done when one has come.
///
/// # Errors
/// The system refuses to tell us of signals.
pub fn requested() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM"),
            _ = interrupt.recv() => tracing::info!("SIGINT"),
        }
    })
}
