//! The phases of a server's life, for everybody who has to know: the probes, the requests in flight, the listener.

use tokio::sync::watch;

/// What the server is doing. The order is that of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It waits for its database and brings the schema up to date.
    Starting,
    /// It works.
    Serving,
    /// It was told to end: it says so, and still answers whoever has not heard it yet.
    Draining,
    /// It takes no new connections and finishes what it began.
    Closing,
    /// Its time is over: what is still not finished is given up.
    Cutting,
}

/// The phase, shared by all parts of the server.
#[derive(Debug, Clone)]
pub struct Lifecycle(watch::Sender<Phase>);

impl Default for Lifecycle {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }
}

impl Lifecycle {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Goes on to `phase`. A life does not run backwards.
    pub fn enter(&self, phase: Phase) {
        self.0.send_if_modified(|current| {
            let goes_on = phase > *current;
            if goes_on {
                tracing::info!(from = ?current, to = ?phase, "phase");
                *current = phase;
            }
            goes_on
        });
    }

    /// Waits until `phase` is reached.
    pub async fn reached(&self, phase: Phase) {
        // The sender lives as long as `self`, so that the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|current| *current >= phase).await;
    }
}
