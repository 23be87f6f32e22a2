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

/// The phase, and how many requests are being worked on, shared by all parts of the server.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    phase: watch::Sender<Phase>,
    in_flight: watch::Sender<usize>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { phase: watch::Sender::new(Phase::Starting), in_flight: watch::Sender::new(0) }
    }
}

/// A request that is being worked on, for as long as this lives: also when its handler panics or is dropped.
#[derive(Debug)]
pub struct InFlight(watch::Sender<usize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Lifecycle {
    /// The phase now.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Goes on to `phase`. A life does not run backwards.
    pub fn enter(&self, phase: Phase) {
        self.phase.send_if_modified(|current| {
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
        let _ = self.phase.subscribe().wait_for(|current| *current >= phase).await;
    }
    /// Counts a request that begins.
    pub fn begin_request(&self) -> InFlight {
        self.in_flight.send_modify(|count| *count += 1);
        InFlight(self.in_flight.clone())
    }

    /// Waits until no request is being worked on.
    pub async fn idle(&self) {
        let _ = self.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }
}
